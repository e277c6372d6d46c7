"""The support line when the vendor fails."""

from __future__ import annotations

import pytest
from airflow_provider_phonelink.sandbox import Fault
from dags.support_line import support_line_dag

pytestmark = pytest.mark.phonelink_sandbox(switches={"dasha_registration_seconds": 0})


def test_a_lost_answer_makes_no_second_number(phonelink_sandbox):
    phonelink_sandbox.faults.add(Fault("drop", method="POST", when="after"))

    assert support_line_dag.test().state == "success"
    assert len(phonelink_sandbox.world.dasha.links()) == 1


def test_a_registration_that_fails_links_nobody(phonelink_sandbox):
    phonelink_sandbox.world.plan_registration("+15550100099", [(0, "Failed", "no route")])

    assert support_line_dag.test().state == "failed"
    [(inbound_agent, _)] = phonelink_sandbox.world.dasha.links().values()
    assert inbound_agent is None


def test_a_second_run_changes_nothing(phonelink_sandbox):
    assert support_line_dag.test().state == "success"
    phonelink_sandbox.journal.clear()

    assert support_line_dag.test().state == "success"
    assert not phonelink_sandbox.journal.writes()
