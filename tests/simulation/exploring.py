"""Which histories there are: all of them up to some deviations, random ones beyond, and the shortest that fails."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from simulation.histories import (
    CLEAR,
    CLEAR_KEEPING,
    DIES_AFTER,
    DIES_BEFORE,
    DOWN,
    GARBAGE,
    LIE,
    LOST_AFTER,
    LOST_BEFORE,
    READ_FAULTS,
    REFUSED,
    TOO_MANY,
    UNAVAILABLE,
    Deviation,
    History,
    run,
)
from simulation.operations import OPERATIONS
from simulation.promises import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.histories import Account

WRITE_FAULTS = (LOST_BEFORE, LOST_AFTER, UNAVAILABLE, TOO_MANY, REFUSED, LIE, DOWN, DIES_BEFORE, DIES_AFTER)
#: How many deviations random histories have at least: all of those with fewer are tried anyway.
FEWEST = 3


def next_deviations(account: Account) -> Iterator[Deviation]:
    """Return what could go otherwise after the last deviation of a history."""
    last = account.history.deviations[-1][:2] if account.history.deviations else (0, 0)
    used = {deviation.what for deviation in account.history.deviations if deviation[:2] == last}
    for point, possible in _points(account):
        # Somebody may act right before a fault, or before a try whose inputs change; there is one fault at a request.
        again = point == last and used <= set(account.operation.acts)
        if point > last or again:
            yield from (Deviation(*point, what) for what in possible if not (again and what in used))


def _points(account: Account) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """Return the points of an account, and what could go otherwise at each."""
    operation = account.operation
    for before, try_ in zip([None, *account.tries], account.tries, strict=False):
        if before:
            yield (try_.number, 0), (*operation.inputs, *(GARBAGE if before.outcome != "green" else ()))
        for request, writes in enumerate(try_.requests, 1):
            yield (try_.number, request), (*operation.acts, *(WRITE_FAULTS if writes else READ_FAULTS))
    clears = (CLEAR, CLEAR_KEEPING) if account.keeps_state else (CLEAR,)
    yield (len(account.tries) + 1, 0), (*clears, *operation.inputs, *operation.acts)


def all_histories(operation: str, deviations: int) -> Iterator[Account]:
    """Carry out every history with up to so many deviations."""
    yield from _from(History(operation), deviations)


def _from(history: History, left: int) -> Iterator[Account]:
    account = run(history)
    yield account
    if left:
        for deviation in list(next_deviations(account)):
            yield from _from(History(history.operation, (*history.deviations, deviation)), left - 1)


def random_histories(seed: int, most: int = 8) -> Iterator[Account]:
    """Carry out histories of three deviations and more, each one longer than the last, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - the same for the same seed is what is wanted
    account = run(History(chance.choice(list(OPERATIONS))))
    for _ in range(chance.randint(FEWEST, most)):
        found = list(next_deviations(account))
        if not found:
            break
        # Mostly near what happened last: deviations that have to do with each other are soon after each other.
        chosen = found[int(len(found) * chance.random() ** 2)]
        account = run(History(account.history.operation, (*account.history.deviations, chosen)))
        if len(account.history.deviations) >= FEWEST:
            yield account


def shrunk(history: History) -> History:
    """Return a history with as few deviations as possible that breaks a promise as well."""
    for i in range(len(history.deviations)):
        shorter = History(history.operation, history.deviations[:i] + history.deviations[i + 1 :])
        if broken(run(shorter)):
            return shrunk(shorter)
    return history
