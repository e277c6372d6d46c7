"""Which number of a pool comes next. The same inputs give the same number, however often it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from airflow_provider_phonelink.api.errors import PoolUnhealthyError, PromiseError

#: A custom strategy. It is called with the healthy ids in the pool's order, the run's ordinal and the number in use,
#: and returns one of the ids.
Chooser = Callable[[Sequence[str], int | None, str | None], str]

STRATEGIES = ("round_robin", "weighted")


@dataclass(frozen=True)
class Pool:
    """The numbers that a rotation picks from, and which of them it may pick."""

    #: Ids in the pool's order.
    number_ids: Sequence[str]
    #: By id, why a number may not be picked.
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def healthy(self) -> list[str]:
        """The ids that may be picked, in the pool's order."""
        return [number_id for number_id in self.number_ids if number_id not in self.skipped]


def demand_healthy(pool: Pool, min_healthy: int, in_use: str) -> None:
    """
    Refuse a pool with too few healthy numbers.

    :param in_use: What the message calls the number that the agent uses.
    :raises PoolUnhealthyError: If fewer than ``min_healthy`` numbers are healthy.
    """
    healthy = len(pool.healthy)
    if healthy < min_healthy:
        raise PoolUnhealthyError(
            f"{healthy} of {len(pool.number_ids)} numbers of the pool are healthy, {min_healthy} are demanded. "
            f"Nothing was changed; the agent's number is {in_use}. Skipped: {'; '.join(pool.skipped.values())}."
        )


@dataclass(frozen=True)
class Turn:
    """What decides whose turn it is, besides the pool."""

    #: The run's ordinal: its position in its schedule; None if the schedule gives it none.
    ordinal: int | None
    #: The number in use; None if it is unknown or there is none.
    previous: str | None = None
    #: The number that an earlier try of this run chose.
    kept: str | None = None
    #: Identifies this run if it has no ordinal.
    run: str = ""


def next_number(
    pool: Pool,
    turn: Turn,
    strategy: str | Chooser = "round_robin",
    weights: Mapping[str, int] | None = None,
) -> str:
    """
    Return the number whose turn it is.

    A run keeps its choice as long as that number is healthy. The number in use is picked only if no other number is
    healthy.

    :param pool: A pool with at least one healthy number.
    :param strategy: ``round_robin``, ``weighted`` or a callable.
    :param weights: For ``weighted``: how often a number comes, relative to the others; 1 for a number not listed.
    :raises PromiseError: If a callable chose a number that is not a candidate.
    """
    healthy = pool.healthy
    if turn.kept in healthy:
        return str(turn.kept)
    candidates = [number_id for number_id in healthy if number_id != turn.previous] or healthy
    if callable(strategy):
        return _checked(strategy(candidates, turn.ordinal, turn.previous), candidates)
    order = (
        list(pool.number_ids) if strategy == "round_robin" else weighted_order(pool.number_ids, weights or {})
    )
    start = _after(order, turn) if turn.ordinal is None else turn.ordinal % len(order)
    return next(number_id for number_id in order[start:] + order[:start] if number_id in candidates)


def weighted_order(number_ids: Sequence[str], weights: Mapping[str, int]) -> list[str]:
    """
    Return one round in which each number comes as often as its weight, spread evenly and never twice in a row.

    A number that weighs more than all the others together comes every other time, because it must not follow itself.

    :param weights: Whole numbers from 1; 1 for a number not listed.
    """
    left = {number_id: weights.get(number_id, 1) for number_id in number_ids}
    heaviest = max(left, key=lambda number_id: left[number_id])
    others = sum(left.values()) - left[heaviest]
    left[heaviest] = min(left[heaviest], max(others, 1))
    shares, total = dict(left), sum(left.values())
    credit = dict.fromkeys(left, 0)
    order: list[str] = []
    for slots in range(total, 0, -1):
        credit = {number_id: credit[number_id] + share for number_id, share in shares.items()}
        chosen = _whose_turn(left, credit, slots, order[-1] if others and order else None)
        credit[chosen] -= total
        left[chosen] -= 1
        order.append(chosen)
    return _closed(order) if others else order


def _whose_turn(left: Mapping[str, int], credit: Mapping[str, int], slots: int, last: str | None) -> str:
    """Return the number that has waited longest, unless one needs every other remaining slot."""
    candidates = [number_id for number_id in left if left[number_id] and number_id != last]
    pressed = [number_id for number_id in candidates if 2 * left[number_id] > slots]
    return max(pressed or candidates, key=lambda number_id: credit[number_id])


def _closed(order: list[str]) -> list[str]:
    """Move a number that is both first and last, because the next round follows this one."""
    if order[0] != order[-1]:
        return order
    number_id, *rest = order
    gaps = [i for i in range(1, len(rest)) if number_id not in (rest[i - 1], rest[i])]
    middle = min(gaps, key=lambda gap: abs(2 * gap - len(rest)))
    return [*rest[:middle], number_id, *rest[middle:]]


def _after(order: Sequence[str], turn: Turn) -> int:
    """Return the position after the number in use; if that number has several or none, the run decides which."""
    places = [i + 1 for i, number_id in enumerate(order) if number_id == turn.previous] or range(len(order))
    return places[int.from_bytes(sha256(turn.run.encode()).digest()[:8], "big") % len(places)]


def _checked(chosen: object, candidates: Sequence[str]) -> str:
    if not isinstance(chosen, str) or chosen not in candidates:
        raise PromiseError(
            f"The strategy chose {chosen!r}, which is not one of {', '.join(candidates)}. Nothing was changed."
        )
    return chosen
