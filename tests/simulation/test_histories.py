"""Every history with up to two deviations keeps the promises, for every operator that writes."""

from __future__ import annotations

import pytest
from simulation.exploring import all_histories
from simulation.operations import OPERATIONS
from simulation.promises import broken

DEVIATIONS = 2
SHOWN = 5


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
