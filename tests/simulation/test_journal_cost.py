"""What the journal of a reconciliation costs: requests to Airflow, which are not to grow with the changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from simulation.histories import _Log, quiet
from simulation.operations import CREDENTIALS, DAILY
from simulation.task import StateStore, TaskInstance, Variables
from simulation.test_any_input import Wire
from simulation.vendors import Vendors

from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator


class Counted:
    """Airflow's stores, and how often they are asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests = 0
        for store in (Variables, StateStore):
            for name in ("get", "set", "delete"):
                monkeypatch.setattr(store, name, self._counting(getattr(store, name)))

    def _counting(self, method: Any) -> Any:
        def counting(*args: Any, **kwargs: Any) -> Any:
            self.requests += 1
            return method(*args, **kwargs)

        return counting


def reconcile(vendor: str, changes: int, *, with_numbers: bool) -> Wire:
    """
    Move so many numbers from one agent to another, and return what the vendor was asked.

    :param with_numbers: whether the other agent has a number before, and so a primary one.
    """
    vendors = Vendors.new()
    if vendor == "dasha":
        numbers = [
            vendors.world.dasha.add_number(f"+1555{i:07d}", CREDENTIALS, inbound="agent-old")
            for i in range(changes)
        ]
    else:
        for agent in ("agent-old", "agent-new"):
            vendors.world.callingbox.add_agent("inbound", id=agent)
        numbers = [f"pn_{i}" for i in range(changes)]
        for i, number in enumerate(numbers):
            vendors.world.callingbox.add_number(f"+1555{i:07d}", id=number, agents=["agent-old"])
        vendors.world.callingbox.set_primary("agent-old", "pn_0")
        if with_numbers:
            vendors.world.callingbox.add_number("+15560000000", id="pn_own", agents=["agent-new"])
            vendors.world.callingbox.set_primary("agent-new", "pn_own")
    kind = DashaReconcileLinksOperator if vendor == "dasha" else CallingBoxReconcileLinksOperator
    operator: Any = kind(
        task_id="task", routes=[{"number_id": id_, "agent_id": "agent-new"} for id_ in numbers]
    )
    wire = Wire(SimpleNamespace(vendors=vendors), most=100_000)
    operator._cached_logger = _Log()
    operator.__dict__["hook"] = wire.hook(vendor)
    with quiet(Variables()):
        result = operator.execute(TaskInstance(try_number=1).context(DAILY))
    assert len(result["changes"]) == changes
    return wire


@pytest.mark.parametrize(
    ("vendor", "changes", "with_numbers"),
    [("dasha", 400, False), ("callingbox", 100, True), ("callingbox", 100, False)],
)
def test_a_journal_adds_no_more_than_one_per_cent(
    vendor: str, changes: int, with_numbers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Counted(monkeypatch)
    reconcile(vendor, 5, with_numbers=with_numbers)
    many = Counted(monkeypatch)
    few_requests, few.requests = few.requests, 0
    wire = reconcile(vendor, changes, with_numbers=with_numbers)

    # As many for five changes as for hundreds: so for five thousand it is a tenth of this share.
    assert 0 < many.requests == few_requests
    assert many.requests <= wire.requests / 100
