"""Rotate at CallingBox, as Airflow runs it: an outbound agent's primary number, night after night."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from airflow.sdk import DAG
from airflow_harness.tasks import run_task

from airflow_provider_phonelink.assets import agent_uri
from airflow_provider_phonelink.operators.callingbox import CallingBoxRotatePrimaryNumberOperator

START = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
AGENT = "agt_campaign"
NUMBERS = ["pn_0", "pn_1", "pn_2"]


@pytest.fixture
def account(sandbox):
    account = sandbox.world.callingbox
    account.add_agent("outbound", id=AGENT)
    for i, number in enumerate(NUMBERS):
        account.add_number(f"+1555020000{i}", id=number, agents=[AGENT])
    account.set_primary(AGENT, NUMBERS[0])
    return account


@pytest.mark.parametrize("pool", [None, "{{ params.pool }}"])
def test_a_number_a_night_without_one_that_is_suspended(account, connections, pool):
    with DAG(
        "rotation", schedule="@daily", start_date=START, params={"pool": ["+1 (555) 020-0000", *NUMBERS[1:]]}
    ):
        task = CallingBoxRotatePrimaryNumberOperator(task_id="rotate", agent_id=AGENT, number_pool=pool)
    variables: dict[str, str] = {}
    found = []
    for day, status in enumerate(["active", "active", "active", "suspended", "active"]):
        account.set_status("pn_1", status)
        outcome = run_task(
            task,
            connections=connections,
            variables=variables,
            logical_date=START + timedelta(days=day),
            run_id=f"scheduled__{day}",
        )
        assert outcome.state == "success", outcome.log
        assert outcome.value["current"]["id"] == account.agents[AGENT].primary_number
        assert agent_uri(AGENT, "outbound", "callingbox") in str(outcome.asset_events)
        found.append(account.agents[AGENT].primary_number)

    assert found == ["pn_1", "pn_2", "pn_0", "pn_2", "pn_1"]
    assert set(variables) == {f"phonelink_rotation__callingbox_default__{AGENT}"}
    assert account.attached(AGENT) == NUMBERS

    cleared = run_task(
        task,
        connections=connections,
        variables=variables,
        logical_date=START,
        run_id="scheduled__0",
        try_number=2,
    )
    assert (cleared.state, cleared.value["changed"]) == ("success", False)
    assert account.agents[AGENT].primary_number == "pn_1"
    assert "older than scheduled__4 of the DAG rotation" in cleared.log
