"""CallingBox: lists, and the primary number."""

from __future__ import annotations

from airflow_harness.tasks import run_task
from integration.worlds import AGENT, OTHER_AGENT

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
    CallingBoxSetPrimaryNumberOperator,
)


def value(task, connections):
    outcome = run_task(task, connections=connections)
    assert outcome.state == "success", outcome.log
    return outcome.value


def test_numbers(box, connections):
    def numbers(**options):
        return value(CallingBoxListNumbersOperator(task_id="t", **options), connections)

    assert {number["id"] for number in numbers()} == {"pn_bystander", "pn_free"}
    assert numbers(unattached_only=True, fields="id") == ["pn_free"]
    assert numbers(agent_id="agent-outbound", fields=["id", "e164"]) == [
        {"id": "pn_bystander", "e164": "+15550298"}
    ]


def test_agents(box, connections):
    def agents(**options):
        return sorted(value(CallingBoxListAgentsOperator(task_id="t", fields="id", **options), connections))

    assert agents() == sorted([AGENT, OTHER_AGENT, "agent-outbound"])
    assert agents(type="outbound") == ["agent-outbound"]


def test_the_primary_number(box, sandbox, connections):
    box.attach(OTHER_AGENT, "pn_free")
    box.set_primary(OTHER_AGENT, "pn_bystander")
    sandbox.journal.clear()
    task = CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=OTHER_AGENT, number_id="+15550200")
    first = value(task, connections)
    assert box.agents[OTHER_AGENT].primary_number == "pn_free"
    assert (first["changed"], first["previous_number_id"]) == (True, "pn_bystander")
    again = value(
        CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=OTHER_AGENT, number_id="pn_free"),
        connections,
    )
    assert again["changed"] is False
    assert len(sandbox.journal.writes()) == 1


def test_a_number_that_is_not_attached_cannot_be_primary(box, sandbox, connections):
    task = CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_free")
    outcome = run_task(task, connections=connections)
    assert isinstance(outcome.error, PhonelinkFailException)
    assert "Attach it first" in str(outcome.error)
    assert not sandbox.journal.writes()
