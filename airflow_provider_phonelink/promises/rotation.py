"""Rotate: afterwards the agent calls out with the number of the pool whose turn it is (all vendors)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_phonelink.api.errors import PoolUnhealthyError, telling
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.decisions.pools import by_id
from airflow_provider_phonelink.decisions.rotation import Choice, choose, resting_numbers
from airflow_provider_phonelink.decisions.rotation_memory import Memory, State, Use
from airflow_provider_phonelink.promises.outcomes import Outcome, plain, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pydantic import BaseModel

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.rotation import Asked, Pool, RotationRules
    from airflow_provider_phonelink.decisions.rotation_memory import Run


@dataclass(frozen=True)
class Survey:
    """A pool as it is: which numbers are healthy, and which one the agent uses."""

    pool: Pool
    #: The number that the agent was seen to use, in the pool or not.
    in_use: str | None
    #: Where none was seen: the one number that the agent uses in a way that is unknown here, or that could not be read.
    suspected: str | None = None
    #: Whether the agent may use one of the numbers that were looked at although it was not seen to.
    is_uncertain: bool = False


class CallerId(Protocol):
    """An agent's caller ID at a vendor: how it is read, proved and replaced."""

    @property
    def agent_id(self) -> str:
        """The agent."""

    def look(self, expected: str | None, known: Collection[str], min_healthy: int, /) -> Flow[Survey]:
        """
        Look at the pool.

        :param expected: The number that the agent had last, as far as it is remembered: the place to look first.
        :param known: The ids and phone numbers of all numbers that it is remembered to have had: none of them is new.
        :param min_healthy: How many healthy numbers are demanded.
        """

    def read(self, number_id: str) -> Flow[BaseModel]:
        """Read a number."""

    def give(self, number_id: str, survey: Survey, *, verify: bool) -> Flow[BaseModel]:
        """
        Give the agent a number, and return it as the vendor describes it.

        :param verify: Whether to read it afterwards. If it cannot be confirmed, the previous number is put back, if it
            is known.
        :raises NotTakenEffectError: If it cannot be confirmed; the message says what is true now.
        """


@dataclass(frozen=True, kw_only=True)
class Rotated(Outcome):
    """An agent's caller ID after a rotation."""

    agent_id: str
    #: None if the run wrote nothing, and it was not seen which number the agent uses.
    current: BaseModel | None
    previous: str | None
    changed: bool
    reason: str
    pool: Pool
    #: By id, why a number was not taken: unhealthy, in quarantine, or resting.
    skipped: Mapping[str, str]
    memory: Memory
    #: What the run did, to be told; None if it left the number in use.
    use: Use | None = None

    @property
    def current_id(self) -> str | None:
        """The id of the number in use."""
        return getattr(self.current, "id", None)

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        last = self.memory.last_uses()
        return {
            "agent_id": self.agent_id,
            "current": plain(self.current) if self.current is not None else None,
            "previous": self.previous,
            "changed": self.changed,
            "reason": storable(self.reason),
            "skipped": storable(dict(self.skipped)),
            "pool_size": len(self.pool.number_ids),
            "last_uses": {
                id_: _plain_use(last[id_]) if id_ in last else None for id_ in self.pool.number_ids
            },
        }


def rotate(
    caller_id: CallerId,
    asked: Asked,
    rules: RotationRules,
    *,
    verify: bool = True,
    memory: Memory | None = None,
    keep: Callable[[Memory], None] = lambda _: None,
) -> Flow[Rotated]:
    """
    Give an agent the number of the pool whose turn it is.

    :param asked: Which run of which agent's rotation it is.
    :param rules: How to choose; the weights by ids or phone numbers.
    :param memory: What is remembered of the agent's earlier rotations.
    :param keep: Takes the memory before the number is linked, so that a try that comes after a death chooses the same.
    :raises PoolUnhealthyError: If too few numbers are healthy; nothing was changed.
    :raises NotTakenEffectError: If the number cannot be confirmed; the message says what is true now.
    """
    found = memory or Memory()
    names = {name for use in found.uses for name in (use.number_id, use.phone_number) if name}
    survey = yield from caller_id.look(found.current, names, rules.min_healthy)
    # A run that is executed late is due before what has happened since, and rests would seem not to have begun.
    now = found.latest(asked.at)
    found = found.in_order(now)
    known = found if survey.is_uncertain else found.seen(survey.in_use, asked.at)
    suspected = survey.suspected or known.current
    rules = replace(rules, weights=by_id(rules.weights, survey.pool.phone_numbers))
    try:
        choice = choose(survey.pool, known, asked, rules, survey.in_use, suspected)
    except PoolUnhealthyError:
        # A task that is skipped tells nothing, and an earlier try of this run may have given the agent its number.
        if rules.on_unhealthy != "skip" or not _by_an_earlier_try(known, asked.run, survey):
            raise
        choice = Choice(survey.in_use, "too few numbers of the pool are healthy and rested", stays=True)
    resting = resting_numbers(
        survey.pool, known, now, survey.in_use or suspected or choice.number_id, rules.cool_down
    )
    skipped = {**survey.pool.skipped, **resting}
    if choice.stays or choice.number_id is None:
        return (yield from _staying(caller_id, survey, choice, skipped, known, asked.run))
    chosen = choice.number_id
    previous = _previous(found, asked.run, survey.in_use, chosen)
    if chosen in (survey.in_use, known.current):
        known = known.keeping(chosen, asked.run)
    else:
        phone_number = survey.pool.phone_numbers.get(chosen)
        known = known.choosing(
            chosen,
            asked.run,
            asked.at,
            phone_number=phone_number,
            previous=previous,
            turn=choice.turn,
        )
    keep(known)
    if survey.in_use == chosen:
        current = yield from caller_id.read(chosen)
    else:
        agent = agent_label(caller_id.agent_id)
        with telling(f"Making {survey.pool.name(chosen)} the outbound number of {agent}"):
            current = yield from caller_id.give(chosen, survey, verify=verify)
    use = known.use_by(asked.run)
    by_an_earlier_try = use is not None and use.state is State.CHOSEN and survey.in_use == chosen
    return Rotated(
        summary=_summary(caller_id, survey, choice, previous, skipped, by_an_earlier_try=by_an_earlier_try),
        agent_id=caller_id.agent_id,
        current=current,
        previous=previous,
        changed=survey.in_use != chosen or by_an_earlier_try,
        reason=choice.reason,
        pool=survey.pool,
        skipped=skipped,
        memory=known,
        use=use if use and use.previous != chosen else None,
    )


def _staying(
    caller_id: CallerId,
    survey: Survey,
    choice: Choice,
    skipped: Mapping[str, str],
    memory: Memory,
    run: Run | None,
) -> Flow[Rotated]:
    """Leave the agent with the number that it has, and tell what an earlier try of the run did."""
    current = (yield from caller_id.read(survey.in_use)) if survey.in_use else None
    now = survey.pool.name(survey.in_use) if survey.in_use else "not known"
    use = _by_an_earlier_try(memory, run, survey)
    before = f" Before this run, it was {survey.pool.name(use.previous)}." if use and use.previous else ""
    return Rotated(
        summary=(
            f"Nothing was written: {choice.reason}. The number of {agent_label(caller_id.agent_id)} is {now}.{before}"
        ),
        agent_id=caller_id.agent_id,
        current=current,
        previous=use.previous if use else survey.in_use,
        changed=use is not None,
        reason=choice.reason,
        pool=survey.pool,
        skipped=skipped,
        memory=memory,
        use=use,
    )


def _by_an_earlier_try(memory: Memory, run: Run | None, survey: Survey) -> Use | None:
    """Return the agent's number in place of the one that an untold try of the run replaced; None if none is known."""
    chosen = [
        i
        for i, use in enumerate(memory.uses)
        if use.state is State.CHOSEN and run is not None and run.is_same(use.run)
    ]
    if not chosen:
        return None
    use, later = memory.uses[chosen[-1]], memory.uses[chosen[-1] + 1 :]
    # The agent has the number that the try chose, or another run has seen that it had it.
    was_given = later[0].previous == use.number_id if later else survey.in_use == use.number_id
    if not was_given or survey.in_use == use.previous:
        return None
    now = survey.in_use or use.number_id
    return replace(use, number_id=now, phone_number=survey.pool.phone_numbers.get(now))


def _previous(memory: Memory, run: Run | None, in_use: str | None, chosen: str) -> str | None:
    """Return the number before this run: not one that an earlier try of it has given the agent already."""
    earlier = memory.use_by(run, in_use)
    if earlier is None:
        return in_use
    # A number that a try has told of is no step on the way any more: another one comes after it.
    is_over = earlier.state is State.DONE and earlier.number_id != chosen
    return earlier.number_id if is_over else earlier.previous


def _summary(
    caller_id: CallerId,
    survey: Survey,
    choice: Choice,
    previous: str | None,
    skipped: Mapping[str, str],
    *,
    by_an_earlier_try: bool,
) -> str:
    pool, agent = survey.pool, agent_label(caller_id.agent_id)
    number = pool.name(str(choice.number_id))
    if survey.in_use == choice.number_id:
        done = "an earlier try of this run made it so" if by_an_earlier_try else "nothing was written"
        return f"Number {number} is the outbound number of {agent} already; {done}. Chosen because {choice.reason}."
    before = pool.name(previous) if previous else "one that is not known"
    if previous == choice.number_id:
        before = "this one, too"
    return (
        f"Number {number} is now the outbound number of {agent}, because {choice.reason}. Before this run, it was "
        f"{before}. {len(skipped)} of {len(pool.number_ids)} numbers of the pool were skipped."
    )


def _plain_use(use: Use) -> dict[str, Any]:
    return {
        "since": use.since.isoformat(),
        "until": use.until.isoformat() if use.until else None,
        "run_id": use.run.run_id if use.run else None,
    }
