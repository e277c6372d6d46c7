"""Which number of a pool an agent gets next: the same pool, memory and run always give the same number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_phonelink.api.errors import PoolUnhealthyError, PromiseError
from airflow_provider_phonelink.api.text import shown, visible
from airflow_provider_phonelink.api.uuids import plain_id

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run, Use

STRATEGIES = ("least_recently_used", "round_robin", "weighted", "priority")
ON_UNHEALTHY = ("fail", "keep", "skip")


@dataclass(frozen=True)
class Pool:
    """The numbers that a rotation picks from, and which of them it may pick."""

    #: Ids in the pool's order.
    number_ids: Sequence[str]
    #: By id, why a number may not be picked.
    skipped: Mapping[str, str] = field(default_factory=dict)
    #: By id, what messages call a number.
    names: Mapping[str, str] = field(default_factory=dict)
    #: By id, for all numbers of the pool; None where it is not known.
    phone_numbers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def healthy(self) -> list[str]:
        """The ids that may be picked, in the pool's order."""
        return [number_id for number_id in self.number_ids if number_id not in self.skipped]

    def name(self, number_id: str) -> str:
        """Return what messages call a number."""
        return self.names.get(number_id, number_id)


@dataclass(frozen=True)
class Candidate:
    """A number that a strategy may choose."""

    number_id: str
    phone_number: str | None
    #: When and by which run it was last in use; None if that is not remembered.
    last_use: Use | None
    #: How many uses of it are remembered, of the agent's last 200.
    uses: int


@dataclass(frozen=True)
class Turn:
    """What a strategy chooses by."""

    agent_id: str
    #: The numbers to choose from, in the pool's order: at least one.
    candidates: Sequence[Candidate]
    #: The number in use; None if it is not known. It is none of the candidates: if there is no other, it stays, and the
    #: callable is not called.
    in_use: str | None
    #: The task's DAG run; None if the operator is executed by hand.
    run: Run | None
    #: The DAG's schedule as text; None if it has none.
    schedule: str | None
    #: When the run was due.
    at: datetime


#: A strategy of your own: it is called with a :class:`Turn` and returns the ``number_id`` of one of its candidates.
Chooser: TypeAlias = Callable[[Turn], str]


@dataclass(frozen=True)
class RotationRules:
    """The arguments of a rotation that decide which number it takes."""

    #: One of :data:`STRATEGIES`, or a callable.
    strategy: str | Chooser = "least_recently_used"
    #: For ``weighted``: how often a number comes, relative to the others; 1 for a number that is not listed.
    weights: Mapping[str, int] = field(default_factory=dict)
    min_healthy: int = 1
    on_unhealthy: str = "fail"
    #: For how long a number rests after it went out of use.
    cool_down: timedelta = timedelta()
    #: For how long a number stays in use while it is healthy.
    max_in_use: timedelta = timedelta()


@dataclass(frozen=True)
class Asked:
    """On whose behalf a number is chosen."""

    agent_id: str
    at: datetime
    run: Run | None = None
    schedule: str | None = None


@dataclass(frozen=True)
class Choice:
    """A number, and why this one."""

    #: None only where the agent keeps the number that it has, and it was not seen which one that is.
    number_id: str | None
    #: A clause for messages.
    reason: str
    #: Whether the agent keeps the number that it has, healthy or not, and the run decides nothing.
    stays: bool = False
    #: For ``weighted``: when the number's turn begins, see :class:`Use`.
    turn: float | None = None


def choose(
    pool: Pool,
    memory: Memory,
    asked: Asked,
    rules: RotationRules,
    in_use: str | None,
    suspected: str | None = None,
) -> Choice:
    """
    Choose an agent's next number.

    :param memory: What is remembered, after the look at the number in use (:meth:`Memory.seen`).
    :param in_use: The number that the agent was seen to call out with, in the pool or not.
    :param suspected: Where none was seen: the number that it may be calling out with, which is not taken again.
    :raises PoolUnhealthyError: If too few numbers are healthy and rested, unless ``on_unhealthy`` is ``keep`` and there
        is a number to keep or to take.
    :raises PromiseError: If a callable chose a number that is not a candidate.
    """
    failover = rules.strategy == "priority"
    if not failover and (later := memory.later_than(asked.run)):
        return Choice(in_use, _overtaken(asked.run, later), stays=True)
    earlier = memory.kept_by(asked.run)
    if earlier in pool.healthy:
        return Choice(earlier, "this run has chosen it before")
    last, now = in_use or suspected, memory.latest(asked.at)
    resting = resting_numbers(pool, memory, now, last, rules.cool_down)
    rested = [number_id for number_id in pool.healthy if number_id not in resting]
    if len(rested) < rules.min_healthy:
        if rules.on_unhealthy != "keep" or (in_use is None and not pool.healthy):
            raise _unhealthy(pool, resting, rules, in_use)
        # Whether a number outside of the pool is healthy is not known; the agent keeps it, too.
        is_elsewhere = in_use is not None and in_use not in pool.number_ids
        if is_elsewhere or in_use in pool.healthy or not pool.healthy:
            return Choice(in_use, "too few numbers of the pool are healthy and rested", stays=True)
        if not rested and failover:
            return Choice(
                _oldest_first(pool.healthy, memory)[0], "all healthy ones rest, and it has for longest"
            )
        rested = rested or _oldest_first(pool.healthy, memory)[:1]
    elif last in rested and (why := _why_it_stays(memory, now, rules.max_in_use)):
        return Choice(last, why)
    others = rested if failover else [number_id for number_id in rested if number_id != last]
    if not others:
        return Choice(last, "no other number of the pool is healthy and rested")
    return _by_strategy(others, pool, memory, asked, rules, last)


def _by_strategy(
    number_ids: Sequence[str],
    pool: Pool,
    memory: Memory,
    asked: Asked,
    rules: RotationRules,
    in_use: str | None,
) -> Choice:
    if callable(rules.strategy):
        last, counts = memory.last_uses(), memory.counts()
        candidates = [
            Candidate(id_, pool.phone_numbers.get(id_), last.get(id_), counts.get(id_, 0))
            for id_ in number_ids
        ]
        chosen = rules.strategy(Turn(asked.agent_id, candidates, in_use, asked.run, asked.schedule, asked.at))
        return Choice(_checked(chosen, number_ids), "the strategy of the DAG chose it")
    if rules.strategy == "priority":
        but = "" if number_ids[0] == pool.healthy[0] else " that does not rest"
        return Choice(number_ids[0], f"it is the first healthy number in the pool's order{but}")
    # Without what an earlier try of this run has chosen, and the agent does not have.
    uses = [use for use in memory.uses if not (use.until and use.run and use.run.is_same(asked.run))]
    if not uses or (len(uses) == 1 and uses[0].run is None):
        return _after(number_ids, pool, in_use)
    if rules.strategy == "weighted":
        return _by_weight(number_ids, pool, memory, rules.weights, in_use)
    chosen = _longest_unused(number_ids, pool, memory, in_use)
    use = memory.last_uses().get(chosen)
    if use is None:
        return Choice(chosen, "the agent is not known to have used it before")
    return Choice(
        chosen,
        f"the agent has not used it since {_moment(use.until or use.since)}, longer than any other healthy one",
    )


def _by_weight(
    number_ids: Sequence[str], pool: Pool, memory: Memory, weights: Mapping[str, int], in_use: str | None
) -> Choice:
    """
    Choose the number that is furthest behind its weight.

    Of those whose turn has begun, it is the one whose turn is over first. Without the first condition, a number of
    nearly half the weight would miss turns to others that are early, and could not make up for them: none comes twice
    in a row.
    """
    turn_of = _turns(memory, weights)

    def weight(number_id: str) -> int:
        return weights.get(number_id, 1)

    def over(number_id: str) -> float:
        return round(turn_of(number_id) + 1 / weight(number_id), 9)

    oldest_first, taking_part = _oldest_first(number_ids, memory), {*number_ids, in_use}
    usable = [number_id for number_id in pool.healthy if number_id in taking_part]
    together = sum(map(weight, usable))
    heavy = [number_id for number_id in oldest_first if 2 * weight(number_id) >= together]
    now = sum(weight(number_id) * turn_of(number_id) for number_id in usable) / together
    begun = [number_id for number_id in oldest_first if round(turn_of(number_id) - now, 9) <= 0]
    # If only the turn of the number in use has begun, the one whose turn begins next.
    chosen = heavy[0] if heavy else min(begun, key=over) if begun else min(oldest_first, key=turn_of)
    reason = (
        f"its weight of {weight(chosen)} is at least that of all others together: it comes every other time"
        if heavy
        else f"it is furthest behind its weight of {weight(chosen)}"
    )
    return Choice(chosen, reason, turn=round(turn_of(chosen), 9))


def _after(number_ids: Sequence[str], pool: Pool, in_use: str | None) -> Choice:
    """Choose without a memory: the first candidate after the number in use."""
    if in_use is None or in_use not in pool.number_ids:
        return Choice(number_ids[0], "it is the first healthy number in the pool's order")
    return Choice(
        _following(number_ids, pool, in_use),
        "it comes after the number in use, and no earlier use is remembered",
    )


def _following(number_ids: Sequence[str], pool: Pool, in_use: str) -> str:
    """Return the first of some numbers after the one in use, in the pool's order."""
    place = list(pool.number_ids).index(in_use) + 1
    order = [*pool.number_ids[place:], *pool.number_ids[:place]]
    wanted = set(number_ids)
    return next(number_id for number_id in order if number_id in wanted)


def _longest_unused(number_ids: Sequence[str], pool: Pool, memory: Memory, in_use: str | None) -> str:
    """Return the number that was not in use for longest."""
    known = memory.last_uses()
    unknown = [number_id for number_id in number_ids if number_id not in known]
    if unknown and memory.is_full and in_use is not None and in_use in pool.number_ids:
        # Among them are those that the memory has forgotten, which would come again before their turn.
        return _following(unknown, pool, in_use)
    return _oldest_first(number_ids, memory)[0]


def _oldest_first(number_ids: Sequence[str], memory: Memory) -> list[str]:
    """Sort numbers by their last use: first those never used, in the pool's order, the one used last at the end."""
    places = {number_id: place for place, number_id in enumerate(memory.last_uses())}
    return sorted(number_ids, key=lambda number_id: places.get(number_id, -1))


def _turns(memory: Memory, weights: Mapping[str, int]) -> Callable[[str], float]:
    """
    Return when each number's next turn would begin, by its weight.

    This is weighted fair queueing, the worst-case fair kind, over the remembered uses, in which one use takes the time
    1 / weight. A number that was away, or is new, makes up for one use at most. Otherwise it would be used every other
    time for a while.
    """
    now = 0.0
    over: dict[str, float] = {}

    def next_turn(number_id: str) -> float:
        return max(over.get(number_id, 0.0), now - 1 / weights.get(number_id, 1))

    for use in memory.uses:
        # Counted only where no turn is remembered: of what the memory has forgotten, nothing can be counted.
        turn = next_turn(use.number_id) if use.turn is None else use.turn
        over[use.number_id] = turn + 1 / weights.get(use.number_id, 1)
        now = max(now, turn)
    return next_turn


def resting_numbers(
    pool: Pool, memory: Memory, now: datetime, in_use: str | None, cool_down: timedelta
) -> dict[str, str]:
    """Return the healthy numbers that went out of use less than ``cool_down`` ago, and what to say of each."""
    if not cool_down:
        return {}
    found = {}
    for number_id, use in memory.last_uses().items():
        if number_id == in_use or number_id not in pool.healthy or use.until is None:
            continue
        if (rested := _sum(use.until, cool_down)) > now:
            found[number_id] = (
                f"{pool.name(number_id)}: out of use since {_moment(use.until)}, rests until {_moment(rested)}"
            )
    return found


def _why_it_stays(memory: Memory, now: datetime, max_in_use: timedelta) -> str | None:
    """Return why the number in use is to stay so, or None if it need not."""
    if memory.current is None or not max_in_use:
        return None
    use = memory.uses[-1]
    time = now - use.since
    if time >= max_in_use:
        return None
    if use.run or time > timedelta():
        return f"it has been in use for {max(time, timedelta(seconds=1))}, less than max_in_use"
    if len(memory.uses) == 1:
        return None  # it was seen now, and nothing tells for how long it has been in use
    return "somebody else gave it to the agent after the last rotation, and it stays for max_in_use"


def _overtaken(run: Run | None, later: Run) -> str:
    """Return why a run changes nothing after another one."""
    if run and run.at < later.at:
        return f"this run is older than {later}, which has rotated since"
    return (
        f"this task has chosen before the task {visible(later.task_id)} of {later}, which has rotated since"
    )


def _unhealthy(
    pool: Pool, resting: Mapping[str, str], rules: RotationRules, in_use: str | None
) -> PoolUnhealthyError:
    reasons = [*pool.skipped.values(), *resting.values()]
    healthy = len(pool.healthy) - len(resting)
    state = "healthy and rested" if resting else "healthy"
    return PoolUnhealthyError(
        f"{healthy} of {len(pool.number_ids)} numbers of the pool are {state}, {rules.min_healthy} are demanded. "
        f"Nothing was changed; the agent's number is {pool.name(in_use) if in_use else 'not one of the pool'}. "
        f"Skipped: {'; '.join(reasons)}."
    )


def _checked(chosen: object, number_ids: Sequence[str]) -> str:
    number_id = plain_id(chosen) if isinstance(chosen, str) else ""
    if number_id not in number_ids:
        raise PromiseError(
            f"The strategy chose {shown(chosen)}, which is not one of {', '.join(number_ids)}. Nothing was changed."
        )
    return number_id


def _sum(moment: datetime, duration: timedelta) -> datetime:
    try:
        return moment + duration
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z}".strip()
