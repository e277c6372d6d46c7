"""Every history with up to two deviations keeps the promises, for every operator that writes."""

from __future__ import annotations

import pytest
from simulation.exploring import all_histories
from simulation.histories import History, run
from simulation.operations import OPERATIONS
from simulation.promises import broken

DEVIATIONS = 2
SHOWN = 5
#: Longer ones, in which something was wrong once.
LONGER = (
    "attach, moving; 1.9 dies before; 2.1 give it to C; 2.1 refused; 3.0 give it to C",
    "onboard; 1.1 refused; 2.0 garbage: a list; 2.8 give the caller another; 3.0 row gone; 3.1 link to C; "
    "3.2 refused; 4.0 clear",
    "rotate; 1.4 down; 2.0 pool smaller; 2.4 refused",
    "rotate CallingBox; 1.3 dies before; 2.0 pool smaller; 2.2 refused; 3.0 pool smaller",
    "onboard; 1.3 refused; 2.0 unlink; 2.3 link to C; 2.6 dies after",
    "onboard; 1.8 lost before; 1.9 dies after; 2.0 row gone; 2.6 refused",
    "onboard; 1.10 give the caller another; 2.6 give the caller another; 2.6 link to C; 3.0 row gone",
    "reconcile circle CallingBox; 1.5 down; 2.15 dies after; 3.5 dies before; 4.2 down",
    "onboard; 1.8 lost before; 1.10 lost after; 1.11 link to C",
    "reconcile circle; 1.5 link n1 to C; 1.5 refused",
    "reconcile to new credentials; 1.10 link old to C; 1.10 refused",
    "delete; 1.9 down; 2.0 link to C; 3.0 clear",
    "delete, reporting; 1.9 dies before; 2.0 link to C; 3.0 clear",
    "attach; 1.3 lost after; 1.5 dies before; 2.1 give it to C; 3.0 clear",
    "link; 1.2 dies after; 2.1 link to C; 3.0 clear",
    "link; 1.2 lost after; 1.3 link to C; 2.0 clear",
    "onboard; 1.1 503; 1.2 link to C; 1.8 unlink; 1.8 429; 1.9 lie; 1.10 lost before; 2.1 link to C",
    "delete, reporting; 1.8 link to C; 1.17 unlink; 1.17 give A another; 2.3 refused",
    "attach, moving; 1.7 give it to C; 2.0 give it to C; 2.4 lost after; 2.5 give it to C",
    "attach, moving; 2.0 another number; 2.7 give it to C; 2.8 down; 3.0 another agent",
    "attach, moving; 1.7 down; 1.14 give it to C; 2.2 archive A; 3.0 clear",
    "link; 1.2 lost after; 1.3 link to C; 2.0 link to A; 2.1 down; 2.2 link to C",
    "onboard; 1.10 give the caller another; 2.6 unlink; 2.6 503; 2.7 give the caller another; 3.0 clear",
    "onboard; 1.3 refused; 1.6 dies before; 2.1 unlink; 2.4 link to C; 2.4 lost before",
    "delete, reporting; 1.4 dies after; 2.2 dies before; 3.6 link to C; 3.11 down; 4.2 unlink; 4.2 link to C",
    "attach, moving; 1.5 refused; 1.6 give it back to B; 2.0 give it to C",
    "delete; 1.7 429; 1.8 link to C; 1.18 give A another; 2.2 unlink; 2.2 down; 3.3 down; 3.4 link to C",
    "reconcile CallingBox; 1.12 down; 2.0 garbage: another version; 2.6 refused; 3.0 route gone",
    "attach, moving; 1.4 dies after; 2.3 lie",
    "attach, moving; 1.7 give it to C; 2.0 give it back to B; 2.2 give it to C",
    "attach, moving; 2.0 make own2 primary; 2.1 take it; 2.3 429; 2.4 give it back to B; 3.0 clear",
    "attach, moving; 1.6 down; 2.3 lie; 2.8 lie",
    "attach, moving; 1.6 dies after; 2.0 another agent; 2.4 dies before",
    "link; 1.3 dies before; 2.0 another agent; 2.2 dies before",
    "link; 1.2 lost after; 1.4 dies before; 2.0 link back to B",
    "link; 1.3 unlink; 2.1 link back to B",
    "unlink whoever it is; 1.2 lost after; 1.4 down; 1.5 link back to B",
    "unlink whoever it is; 1.2 lost after; 1.3 link to C; 1.4 down",
    "onboard; 1.1 503; 1.10 503; 1.11 link to C; 1.11 give the caller another; 1.15 dies before",
    "attach, moving; 1.8 down; 2.1 take it; 2.2 503; 2.4 give it to C; 3.0 clear",
    "link; 1.2 unlink; 1.2 429; 1.4 dies before; 2.0 link back to B",
    "link; 1.1 link to C; 1.2 unlink; 1.2 429; 1.5 down; 1.6 link to C",
    "reconcile CallingBox; 1.10 archive A; 1.12 dies before; "
    "2.6 dies before; 3.10 refused; 4.10 down; 5.0 clear",
    "reconcile CallingBox; 1.11 dies after; 2.9 dies before; 3.6 archive A; 3.6 down; 4.6 down; 5.0 clear",
    "attach, moving; 1.3 take it; 1.6 dies before; 2.1 refused; 3.0 give it to C",
)


def failures(operation: str) -> list[str]:
    return [
        f"{account.history}\n  " + "\n  ".join(problems)
        for account in all_histories(operation, DEVIATIONS)
        if (problems := broken(account))
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_history_breaks_a_promise(operation: str) -> None:
    found = sorted(failures(operation), key=lambda text: text.partition("\n")[0].count(";"))
    assert not found, f"{len(found)} histories, such as\n" + "\n".join(found[:SHOWN])


@pytest.mark.parametrize("history", LONGER)
def test_no_longer_history_breaks_a_promise_again(history: str) -> None:
    assert broken(run(History.parse(history))) == []
