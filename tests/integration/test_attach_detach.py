"""Attach and detach: afterwards the agent has the number, or no longer has it."""

from __future__ import annotations

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, OTHER_AGENT, state_of, writes

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault, Switches


def attach(number_id: str = "pn_free", **arguments) -> CallingBoxAttachNumberOperator:
    arguments = {"agent_id": AGENT, **arguments}
    return CallingBoxAttachNumberOperator(task_id="attach", number_id=number_id, **arguments)


def detach(number_id: str = "pn_free", **arguments) -> CallingBoxDetachNumberOperator:
    arguments = {"agent_id": AGENT, **arguments}
    return CallingBoxDetachNumberOperator(task_id="detach", number_id=number_id, **arguments)


@pytest.mark.parametrize("agent", [AGENT, "agent-outbound"])
def test_attaches_and_detaches_and_each_once(sandbox, box, connections, agent):
    before = state_of(sandbox)
    outcomes = [
        run_task(task, connections=connections, try_number=try_number)
        for task in (attach(agent_id=agent), detach(agent_id=agent))
        for try_number in (1, 2)
    ]

    assert [outcome.state for outcome in outcomes] == ["success"] * 4
    assert [outcome.value["changed"] for outcome in outcomes] == [True, False, True, False]
    assert [outcome.value["previous_agent_id"] for outcome in outcomes] == [
        None,
        agent,
        agent,
        None,
    ]
    assert [len(outcome.value["numbers"]) for outcome in outcomes] == (
        [1, 1, 0, 0] if agent == AGENT else [2, 2, 1, 1]
    )
    assert writes(sandbox) == ["POST numbers", "DELETE pn_free"]
    assert state_of(sandbox) == before
    assert "stays bought and billed" in outcomes[2].log


def test_an_inbound_agent_does_not_get_another_ones_number(sandbox, box, connections):
    before = state_of(sandbox)
    outcome = run_task(attach("pn_bystander", retries=3), connections=connections)

    assert outcome.state == "failed"
    assert OTHER_AGENT in str(outcome.error)
    assert state_of(sandbox) == before
    assert not [entry for entry in sandbox.journal if entry.method != "GET"]


def test_an_outbound_agent_may_share_a_number(sandbox, box, connections):
    box.detach("agent-outbound", "pn_bystander")
    outcome = run_task(attach("pn_bystander", agent_id="agent-outbound"), connections=connections)

    assert outcome.state == "success", outcome.log
    assert box.links()["pn_bystander"] == (OTHER_AGENT, ["agent-outbound"])


def test_detaching_leaves_other_agents_the_number(sandbox, box, connections):
    outcome = run_task(detach("pn_bystander"), connections=connections)

    assert outcome.value["changed"] is False
    assert box.links()["pn_bystander"] == (OTHER_AGENT, ["agent-outbound"])


@pytest.mark.parametrize("task", [attach, detach])
def test_an_agent_that_is_not_there_fails_at_once(sandbox, box, connections, task):
    outcome = run_task(task(agent_id="agent-gone", retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "Agent not found" in str(outcome.error)


def test_a_number_that_is_not_there_fails_at_once(sandbox, box, connections):
    outcome = run_task(attach("pn_gone", retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "Number not found" in str(outcome.error)


@pytest.mark.parametrize("key", Switches.choices()["callingbox_attach_body_key"])
def test_the_key_of_the_body_is_settable(sandbox, box, connections, key):
    sandbox.set(callingbox_attach_body_key=key)
    connections["callingbox_default"]["extra"]["attach_body_key"] = key
    outcome = run_task(attach(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert box.attached(AGENT) == ["pn_free"]


@pytest.mark.parametrize("status", [400, 409])
def test_somebody_attached_it_between_look_and_write(sandbox, box, connections, status):
    sandbox.set(callingbox_attached_again_status=status)
    sandbox.faults.meanwhile(lambda world: world.callingbox.attach(AGENT, "pn_free"), method="POST")
    outcome = run_task(attach(), connections=connections)

    assert box.attached(AGENT) == ["pn_free"]
    assert outcome.state == "success", outcome.error


@pytest.mark.parametrize("status", Switches.choices()["callingbox_detached_again_status"])
def test_somebody_detached_it_between_look_and_write(sandbox, box, connections, status):
    sandbox.set(callingbox_detached_again_status=status)
    box.attach(AGENT, "pn_free")
    sandbox.faults.meanwhile(lambda world: world.callingbox.detach(AGENT, "pn_free"), method="DELETE")
    outcome = run_task(detach(), connections=connections)

    assert box.attached(AGENT) == []
    assert outcome.state == "success", outcome.error


def test_the_swap_stays_where_somebody_else_was_faster(sandbox, box, connections):
    sandbox.faults.meanwhile(lambda world: world.callingbox.attach(OTHER_AGENT, "pn_free"), method="POST")
    outcome = run_task(attach(retries=3), connections=connections)

    assert outcome.state == "failed"
    assert box.links()["pn_free"] == (OTHER_AGENT, [])


@pytest.mark.parametrize("shape", ["array", "data", "data_has_more"])
@pytest.mark.parametrize("task", [attach, detach])
def test_an_agent_that_does_not_tell_its_numbers(sandbox, box, connections, task, shape):
    """Then the number tells, on whichever page of the list it is."""
    sandbox.set(callingbox_numbers_shape=shape, callingbox_page_size=1)
    if task is detach:
        box.attach(AGENT, "pn_free")
    sandbox.faults.add(Fault("edit", vendor="callingbox", path="agents", remove=("numbers",), count=None))
    outcome = run_task(task(retries=3), connections=connections)

    assert outcome.state == "success", outcome.log
    assert box.attached(AGENT) == (["pn_free"] if task is attach else [])


def test_templates(sandbox, box, connections):
    outcome = run_task(
        attach(
            "{{ ti.xcom_pull('numbers')[0] }}",
            agent_id="{{ params.agent }}",
            if_attached="{{ params.if_attached }}",
            callingbox_conn_id="{{ params.conn }}",
            params={"agent": AGENT, "if_attached": "fail", "conn": "callingbox_default"},
        ),
        connections=connections,
        xcoms={"numbers": ["pn_free"]},
    )

    assert outcome.state == "success", outcome.log
    assert box.attached(AGENT) == ["pn_free"]


@pytest.mark.parametrize("task", [attach, detach])
def test_a_vendor_that_claims_to_have_done_it(sandbox, box, connections, task):
    if task is detach:
        box.attach(AGENT, "pn_free")
    method = "POST" if task is attach else "DELETE"
    sandbox.faults.add(Fault("ignored", claim=True, method=method))
    outcome = run_task(task(retries=1), connections=connections)

    assert outcome.state == "up_for_retry"
