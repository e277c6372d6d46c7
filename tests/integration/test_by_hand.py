"""Operators that somebody executes without Airflow, with an empty context, as unit tests of DAGs do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.matrix import OPERATIONS
from integration.operations import Scene

if TYPE_CHECKING:
    from integration.operations import Operation

    from airflow_provider_phonelink.sandbox import Sandbox


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_promise_is_kept(phonelink_sandbox: Sandbox, operation: Operation) -> None:
    """The sandbox's connections are in the environment."""
    scene = Scene(operation, phonelink_sandbox)
    assert operation.operator(*scene.numbers).execute({}) is not None
    assert scene.kept
    assert len(phonelink_sandbox.journal.writes()) == operation.writes
