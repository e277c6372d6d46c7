"""Rotate: afterwards the agent's outbound number is the one of the pool whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from datetime import datetime, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments, patience
from airflow_provider_phonelink.api.calls import Parallel, Pause
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads, writes
from airflow_provider_phonelink.api.errors import (
    NotTakenEffectError,
    PhonelinkError,
    PoolUnhealthyError,
)
from airflow_provider_phonelink.api.labels import number_label
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.pools import belongs, checked_filter
from airflow_provider_phonelink.decisions.registration import Verdict, judge
from airflow_provider_phonelink.decisions.rotation import Pool
from airflow_provider_phonelink.promises.journal import Journal, outbound_key
from airflow_provider_phonelink.promises.outcomes import Outcome, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.registration import RegistrationRules
    from airflow_provider_phonelink.promises.journal import Entry


@dataclass(frozen=True)
class Survey:
    """A pool as it is: which numbers are healthy, and which one the agent uses."""

    pool: Pool
    #: The agent's outbound number, if it is one of those that were looked at.
    previous: str | None
    #: Where there is none: the one number that the agent uses in a way that is unknown here. It may be the one, so
    #: it is not picked again, but never put back.
    suspected: str | None = None
    #: What messages call the numbers that were read.
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, number_id: str) -> str:
        """Return what messages call a number."""
        return self.names.get(number_id, number_id)


@dataclass(frozen=True, kw_only=True)
class Rotated(Outcome):
    """The agent's outbound number after a rotation."""

    current: PhoneNumber
    previous: str | None
    changed: bool
    pool: Pool

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {
            "current": plain(self.current),
            "previous": self.previous,
            "changed": self.changed,
            "skipped": dict(self.pool.skipped),
            "pool_size": len(self.pool.number_ids),
        }


def survey(
    agent_id: str,
    pool: Sequence[str] | Mapping[str, str],
    rules: RegistrationRules,
    *,
    scope: Sequence[str] = (),
    quarantine: Sequence[str] = (),
    healthy_without_registration: bool = False,
) -> Flow[Survey]:
    """
    Look at a pool.

    :param pool: Ids, or a filter: ``provider_id``, ``display_name_prefix``, ``description_tag``; all named ones
        must match.
    :param scope: Further ids among which the agent's present number may be.
    :param quarantine: Ids that are not to be picked.
    :param healthy_without_registration: Whether numbers whose registration is switched off may be picked.
    """
    agent_id = arguments.opaque_id("agent_id", agent_id)
    further = _ids("scope", scope)
    held_back = set(_ids("quarantine", quarantine))
    numbers = yield from _members(parse_rendered("pool", pool))
    names = {number_id: number.label for number_id, number in numbers.items() if number}
    skipped: dict[str, str] = {}
    for number_id, number in numbers.items():
        if reason := _unfit(number_id, number, rules, healthy_without_registration):
            skipped[number_id] = reason
        elif number_id in held_back:
            skipped[number_id] = f"{names[number_id]}: in quarantine"
    # Reads by credentials may also show the agent's number where it is in neither the pool nor the scope.
    users = yield from outbound.users_of(
        {
            **{id_: number.credentials_id.lower() for id_, number in numbers.items() if number},
            **{id_: None for id_ in further if id_ not in names},
        }
    )
    previous, suspected = _in_use(agent_id, users)
    seen = {id_: number_label(id_, affected.phone_number) for id_, affected in users.items()}
    return Survey(Pool(list(numbers), skipped), previous, suspected, {**seen, **names})


def rotate_to(
    agent_id: str,
    number_id: str,
    survey: Survey,
    *,
    verify: bool = True,
    before: str | None = None,
    journal: Journal | None = None,
) -> Flow[Rotated]:
    """
    Make a number the agent's outbound number.

    :param before: The number that an earlier try of this run replaced, if one got that far.
    :param verify: Whether the link is read afterwards. If it cannot be confirmed, the previous number is put back,
        if it is known.
    :param journal: What earlier tries of the task did, and what this one does: the choice is in it before the link is
        written, so that a try that comes after a death chooses the same number.
    :raises NotTakenEffectError: If the link cannot be confirmed; the message says what is true now.
    """
    journal = journal or Journal()
    key, previous = outbound_key(agent_id), before or survey.previous
    link = {"number_id": number_id, "mode": "replaceOutbound", "agent_id": agent_id}
    entry = journal.entry(key, **link, previous_number_id=previous, is_choice=True)
    current: PhoneNumber
    if survey.previous == number_id:
        current = yield endpoints.get_number(number_id)
        return _found(agent_id, current, survey, previous, journal, entry)
    with journal.writing(key, entry):
        current = yield from writes.link(number_id, agent_id, "replaceOutbound")
    if verify:
        yield from _confirm(agent_id, current, survey)
    entry.phone_number = current.phone_number
    journal.settle(key, agent_id)
    return Rotated(
        summary=f"Number {current.label} is now agent {agent_id}'s outbound number; before this run, it was "
        f"{survey.name(previous) if previous else 'one that is not known'}. {len(survey.pool.skipped)} of "
        f"{len(survey.pool.number_ids)} numbers of the pool were skipped.",
        current=current,
        previous=previous,
        changed=True,
        pool=survey.pool,
    )


def _found(
    agent_id: str,
    current: PhoneNumber,
    survey: Survey,
    previous: str | None,
    journal: Journal,
    entry: Entry,
) -> Rotated:
    """Return what a look before any write found: an earlier try made the link, or nothing had to be done."""
    key = outbound_key(agent_id)
    earlier = journal.earlier(key)
    if earlier is None or earlier.number_id != entry.number_id:
        journal.intend({key: entry})
    journal.settle(key, agent_id)
    known = journal.of(key) or entry
    known.phone_number = current.phone_number
    by_the_task = known.pending
    done = "an earlier try of this run made it so" if by_the_task else "nothing was written"
    return Rotated(
        summary=f"Number {current.label} is agent {agent_id}'s outbound number already; {done}.",
        current=current,
        previous=previous,
        changed=by_the_task,
        pool=survey.pool,
    )


def _ids(argument: str, value: Any) -> list[str]:
    ids = parse_rendered(argument, value)
    # No ids are none, but None is not: an XCom that gave nothing would otherwise set free what is in quarantine.
    return [] if isinstance(ids, Sized) and not ids else arguments.uuids(argument, ids)


def _members(pool: Sequence[str] | Mapping[str, str]) -> Flow[dict[str, PhoneNumber | None]]:
    if not isinstance(pool, Mapping):
        return (yield from _read_patiently(arguments.uuids("pool", pool)))
    wanted = checked_filter("pool", pool)
    listed = yield from reads.all_numbers(provider_id=wanted.get("provider_id"))
    # By id, for the vendor promises no order, and the order decides whose turn it is.
    found = sorted(
        ((number.id.lower(), number) for number in listed if belongs(number, wanted)), key=itemgetter(0)
    )
    if not found:
        raise PoolUnhealthyError(f"No number matches the pool {clean(wanted)}. Nothing was changed.")
    return dict(found)


def _read_patiently(number_ids: Sequence[str]) -> Flow[dict[str, PhoneNumber | None]]:
    """Read numbers; ask again for those that are not there, as new ones may not be yet."""
    found: dict[str, PhoneNumber | None] = dict.fromkeys(number_ids)
    for pause in (*patience.PAUSES, None):
        reading = yield from reads.read_numbers(id_ for id_, number in found.items() if number is None)
        for error in reading.errors.values():
            raise error
        found.update(reading.numbers)
        if pause is None or all(found.values()):
            break
        yield Pause(pause)
    return found


def _unfit(
    number_id: str, number: PhoneNumber | None, rules: RegistrationRules, healthy_without_registration: bool
) -> str:
    judgement = judge(number_id, number, rules, datetime.now(timezone.utc))
    if judgement.verdict is Verdict.ACTIVE:
        return ""
    if judgement.verdict is Verdict.NEVER and healthy_without_registration:
        return ""
    return judgement.description


def _in_use(agent_id: str, users: Mapping[str, AffectedAgents]) -> tuple[str | None, str | None]:
    """Return the number that the agent uses outbound, or else the only one it may be using so."""
    certain = [number_id for number_id, affected in users.items() if agent_id in affected.outbound]
    if certain:
        return certain[0], None
    possible = [number_id for number_id, affected in users.items() if agent_id in affected.maybe_outbound]
    return None, possible[0] if len(possible) == 1 else None


def _confirm(agent_id: str, number: PhoneNumber, survey: Survey) -> Flow[None]:
    number_id = number.id.lower()
    try:
        affected: AffectedAgents = yield endpoints.affected_agents(number_id)
        if agent_id in affected.outbound | affected.maybe_outbound:
            return
        problem = "the vendor does not list the agent among those that use it."
    except PhonelinkError as error:
        problem = str(error)
    now = yield from _put_back(agent_id, number_id, survey)
    raise NotTakenEffectError(
        f"Number {number.label} was made agent {agent_id}'s outbound number, but this could not be confirmed: "
        f"{problem} {now}"
    )


def _put_back(agent_id: str, number_id: str, survey: Survey) -> Flow[str]:
    """Return a sentence on what is true now."""
    previous = survey.previous
    others = [
        other
        for other in dict.fromkeys([previous, *survey.pool.number_ids])
        if other not in (None, number_id)
    ]
    seen = yield Parallel([_uses(agent_id, str(other)) for other in others])
    now = next((other for other, used in zip(others, seen, strict=True) if used), None)
    if now is not None and now == previous:
        return f"The agent still has the number before, {survey.name(previous)}."
    if now is not None:
        return (
            f"By now the agent has {survey.name(now)} of the pool, from somebody else, and was left with it."
        )
    if previous is None:
        return "The number before is not known, so nothing was put back. Nor is it known which one the agent has now."
    try:
        yield from writes.link(previous, agent_id, "replaceOutbound")
    except PhonelinkError as error:
        return (
            f"Putting the number before, {survey.name(previous)}, back failed, too: {error} It is not known which one "
            "it has now."
        )
    if (yield from _uses(agent_id, previous)):
        return f"The number before, {survey.name(previous)}, was put back, and the agent has it."
    return f"The number before, {survey.name(previous)}, was accepted back, but that could not be confirmed either."


def _uses(agent_id: str, number_id: str) -> Flow[bool]:
    """Look whether the agent is seen to use a number outbound; an error counts as not seen."""
    try:
        affected: AffectedAgents = yield endpoints.affected_agents(number_id)
    except PhonelinkError:
        return False
    return agent_id in affected.outbound
