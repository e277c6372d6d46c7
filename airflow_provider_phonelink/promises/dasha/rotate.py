"""An agent's caller ID at Dasha BlackBox: its one outbound number, taken from a pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments, patience
from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads, writes
from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.errors import (
    NotNamedError,
    NotTakenEffectError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.api.text import clean, listed
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.pools import (
    belongs,
    by_id,
    checked_filter,
    quarantine_of,
    skipped_in,
)
from airflow_provider_phonelink.decisions.registration import Verdict, judge
from airflow_provider_phonelink.decisions.rotation import Pool
from airflow_provider_phonelink.promises.dasha.naming import numbers_there
from airflow_provider_phonelink.promises.rotation import Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.registration import RegistrationRules

    _Numbers = dict[str, PhoneNumber | None]


@dataclass(frozen=True)
class DashaCallerId:
    """
    An agent's outbound number, and the pool that it is taken from.

    The arguments but the agent's id are checked by :meth:`look`, before it sends anything.
    """

    #: As :func:`~airflow_provider_phonelink.api.arguments.agent_id` returns it.
    agent_id: str
    #: Ids and phone numbers; or a filter, ``provider_id``, ``display_name_prefix``, ``description_tag``, all of which a
    #: number has to match.
    pool: Sequence[str] | Mapping[str, str]
    rules: RegistrationRules
    #: Further ids and phone numbers among which the agent's present number may be.
    scope: Sequence[str] = ()
    #: Ids and phone numbers of numbers that are not to be picked; a mapping has a reason for each.
    quarantine: Sequence[str] | Mapping[str, str] = ()
    #: Whether numbers whose registration is switched off may be picked.
    healthy_without_registration: bool = False

    def look(
        self, expected: str | None = None, known: Collection[str] = (), min_healthy: int = 1, /
    ) -> Flow[Survey]:
        """
        Look at the pool. A number that is not there, or that cannot be read, is one that may not be picked.

        :raises NotNamedError: If no number matches the pool's filter, or none has one of its phone numbers: it is
            mistyped, most likely.
        """
        wanted_scope = _names("scope", self.scope)
        quarantine = quarantine_of(self.quarantine, uuids=True)
        plain_names = {_plain_name(name) for name in known}

        def is_worth_waiting(numbers: Mapping[str, PhoneNumber | None]) -> bool:
            """Return whether a number that is not there may be new, and is needed."""
            held = by_id(quarantine, _phone_numbers(numbers))
            healthy = [
                id_ for id_, number in numbers.items() if id_ not in held and not self._unfit(id_, number)
            ]
            is_needed = len(healthy) < min_healthy or set(healthy) <= {expected}
            new = [
                id_ for id_, number in numbers.items() if not number and _plain_name(id_) not in plain_names
            ]
            return is_needed and bool(new)

        numbers, scope, errors = yield from _members(
            parse_rendered("pool", self.pool), wanted_scope, is_worth_waiting
        )
        # Reads by credentials may also show the agent's number where it is in neither the pool nor the scope.
        reading = yield from outbound.users_until(
            self.agent_id,
            {
                **{id_: number.credentials_id for id_, number in numbers.items() if number},
                **{id_: None for id_ in scope if not numbers.get(id_)},
            },
            expected,
        )
        users, errors = reading.users, {**errors, **reading.errors}
        if numbers.keys() <= errors.keys():
            raise next(iter(errors.values()))
        pool = self._pool(numbers, users, errors, quarantine)
        certain = [number_id for number_id, affected in users.items() if self.agent_id in affected.outbound]
        possible = [
            number_id for number_id, affected in users.items() if self.agent_id in affected.maybe_outbound
        ]
        if certain:
            return Survey(pool, certain[0])
        # An agent has one outbound number: where the users of a single one could not be read, it may be that one.
        candidates = possible or [*reading.errors]
        suspected = candidates[0] if len(candidates) == 1 else None
        return Survey(pool, None, suspected, is_uncertain=bool(possible or errors))

    def _pool(
        self,
        numbers: _Numbers,
        users: Mapping[str, AffectedAgents],
        errors: Mapping[str, VendorError],
        quarantine: Mapping[str, str],
    ) -> Pool:
        phone_numbers = _phone_numbers(numbers)
        names = {
            **{id_: number_label(id_, affected.phone_number) for id_, affected in users.items()},
            **{id_: number.label for id_, number in numbers.items() if number},
        }
        unfit = {
            id_: f"{names.get(id_) or number_label(id_)}: {errors[id_]}"
            if id_ in errors
            else self._unfit(id_, number)
            for id_, number in numbers.items()
        }
        held = by_id(quarantine, phone_numbers)
        return Pool(list(numbers), skipped_in(unfit, held, names), names, phone_numbers)

    def read(self, number_id: str) -> Flow[PhoneNumber]:
        """Read a number."""
        number: PhoneNumber = yield endpoints.get_number(number_id)
        return number

    def give(self, number_id: str, survey: Survey, *, verify: bool) -> Flow[PhoneNumber]:
        """Link a number, replacing the one before, and look whether the agent uses it."""
        number: PhoneNumber = yield from writes.link(number_id, self.agent_id, "replaceOutbound")
        if verify:
            yield from self._confirm(number, survey)
        return number

    def _unfit(self, number_id: str, number: PhoneNumber | None) -> str:
        """Return why a number cannot be used; an empty text if it can be."""
        judgement = judge(number_id, number, self.rules, datetime.now(timezone.utc))
        if judgement.verdict is Verdict.ACTIVE:
            return ""
        if judgement.verdict is Verdict.NEVER and self.healthy_without_registration:
            return ""
        return judgement.description

    def _confirm(self, number: PhoneNumber, survey: Survey) -> Flow[None]:
        number_id = number.id
        try:
            affected: AffectedAgents = yield endpoints.affected_agents(number_id)
            if self.agent_id in affected.outbound | affected.maybe_outbound:
                return
            problem = "the vendor does not list the agent among those that use it."
        except PhonelinkError as error:
            problem = str(error)
        now = yield from self._put_back(number_id, survey)
        raise NotTakenEffectError(
            f"Number {number.label} was made the outbound number of {agent_label(self.agent_id)}, but this could not "
            f"be confirmed: {problem} {now}"
        )

    def _put_back(self, number_id: str, survey: Survey) -> Flow[str]:
        """Give the agent the number before, unless it has another one by now. Return what is true then."""
        previous, name = survey.in_use, survey.pool.name
        candidates = dict.fromkeys([previous, *survey.pool.number_ids])
        others = [other for other in candidates if other is not None and other != number_id]
        seen = yield Parallel([self._is_seen_to_use(other) for other in others])
        now = next((other for other, is_used in zip(others, seen, strict=True) if is_used), None)
        if now is not None and now == previous:
            return f"The agent still has the number before, {name(previous)}."
        if now is not None:
            return f"By now the agent has {name(now)} of the pool, which somebody else gave it, and was left with it."
        if previous is None:
            return (
                "The number before is not known, so nothing was put back, and it is not known which number the agent "
                "has now."
            )
        try:
            yield from writes.link(previous, self.agent_id, "replaceOutbound")
        except PhonelinkError as error:
            return (
                f"Putting the number before, {name(previous)}, back failed, too: {error} It is not known which number "
                "the agent has now."
            )
        if (yield from self._is_seen_to_use(previous)):
            return f"The number before, {name(previous)}, was put back, and the agent has it."
        return f"The vendor accepted the number before, {name(previous)}, again, but that could not be confirmed."

    def _is_seen_to_use(self, number_id: str) -> Flow[bool]:
        """Return whether the agent is seen to call out with a number; an error counts as not seen."""
        try:
            affected: AffectedAgents = yield endpoints.affected_agents(number_id)
        except PhonelinkError:
            return False
        return self.agent_id in affected.outbound


def _plain_name(name: str) -> str:
    """Return an id or phone number in the form in which it can be compared."""
    return name if is_uuid(name) else e164(name) or name


def _names(argument: str, value: Any) -> list[str]:
    names = parse_rendered(argument, value)
    # An empty list is no numbers. None is refused, as an XCom that gave nothing is.
    return [] if arguments.is_empty(names) else arguments.number_names(argument, names, uuids=True)


def _members(
    pool: Sequence[str] | Mapping[str, str],
    scope: Sequence[str],
    is_worth_waiting: Callable[[Mapping[str, PhoneNumber | None]], bool],
) -> Flow[tuple[_Numbers, list[str], Mapping[str, VendorError]]]:
    """
    Return the numbers of the pool by id, in its order, None for one that is not there; and the ids of the scope.

    Last, by id, why a number could not be read. A number that is not there has its name in place of its id.

    :param is_worth_waiting: Whether to look again, of numbers as they were found: a new one may take a while to show.
    """
    if not isinstance(pool, Mapping):
        wanted = arguments.number_names("pool", pool, uuids=True)
        return (yield from _named_members(wanted, scope, is_worth_waiting))
    wanted_parts = checked_filter("pool", pool)
    scope_ids = list((yield from numbers_there(scope, "scope")).ids.values())
    listed = yield from reads.all_numbers(provider_id=wanted_parts.get("provider_id"))
    # Sorted by id: the vendor promises no order, and the order has to be the same at each run.
    matching = sorted(
        ((number.id, number) for number in listed if belongs(number, wanted_parts)), key=itemgetter(0)
    )
    if not matching:
        raise NotNamedError(f"No number matches the pool {clean(wanted_parts)}. Nothing was changed.")
    return dict(matching), scope_ids, {}


def _named_members(
    wanted: Sequence[str],
    scope: Sequence[str],
    is_worth_waiting: Callable[[Mapping[str, PhoneNumber | None]], bool],
) -> Flow[tuple[_Numbers, list[str], Mapping[str, VendorError]]]:
    names = list(dict.fromkeys([*wanted, *scope]))
    ids: dict[str, str] = {}
    read: dict[str, PhoneNumber] = {}

    def look() -> Flow[tuple[_Numbers, Mapping[str, VendorError]]]:
        named = yield from numbers_there([name for name in names if name not in ids], "pool")
        ids.update(named.ids)
        read.update(named.read)
        members = list(dict.fromkeys(ids.get(name, name) for name in wanted))
        missing = [number_id for number_id in members if is_uuid(number_id) and number_id not in read]
        reading = yield from reads.read_numbers(missing)
        read.update({number_id: number for number_id, number in reading.numbers.items() if number})
        return {number_id: read.get(number_id) for number_id in members}, reading.errors

    def is_enough(seen: tuple[_Numbers, Mapping[str, VendorError]]) -> bool:
        found, errors = seen
        return not is_worth_waiting({id_: number for id_, number in found.items() if id_ not in errors})

    found, errors = yield from patience.until(is_enough, look)
    if not any(found.values()):
        _demand_some(wanted, errors)
    return found, [ids[name] for name in scope if name in ids], errors


def _demand_some(wanted: Sequence[str], errors: Mapping[str, VendorError]) -> None:
    """Refuse a pool of which nothing could be read; ids that belong to no number may be those of deleted ones."""
    for error in errors.values():
        raise error
    phone_numbers = [name for name in wanted if not is_uuid(name)]
    if phone_numbers:
        problems = (
            f"there is no number {clean(name)}, in this or another notation" for name in phone_numbers
        )
        raise NotNamedError(f"pool: {listed(problems)}. Nothing was changed.")


def _phone_numbers(numbers: Mapping[str, PhoneNumber | None]) -> dict[str, str | None]:
    return {number_id: number.phone_number if number else None for number_id, number in numbers.items()}
