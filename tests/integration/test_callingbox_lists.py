"""CallingBox: lists, and the primary number."""

from __future__ import annotations

from airflow_harness.tasks import run_task
from integration.worlds import AGENT, OTHER_AGENT

from airflow_provider_phonelink.assets import agent_uri, number_uri
from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault


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


def test_numbers_that_do_not_say_where_they_are_attached_are_not_taken_for_unattached(
    box, sandbox, connections
):
    sandbox.set(callingbox_sparse=True)
    for filters in ({"unattached_only": True}, {"agent_id": "agent-outbound"}):
        outcome = run_task(CallingBoxListNumbersOperator(task_id="t", **filters), connections=connections)
        assert outcome.state == "failed"
        assert "does not say where it is attached" in str(outcome.error)
    assert len(value(CallingBoxListNumbersOperator(task_id="t", fields="id"), connections)) == 2


def test_the_id_of_an_agent_is_the_same_in_whatever_case(box, connections):
    agent = box.add_agent(id="a0000000-0000-4000-8000-00000000000a")
    number = box.add_number("+15550100199", agents=[agent])
    task = CallingBoxListNumbersOperator(task_id="t", agent_id=agent.upper(), fields="id")
    assert value(task, connections) == [number]


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


def test_a_primary_number_whose_answer_was_lost_is_told_by_the_next_try(box, sandbox, connections):
    caller = box.links()["pn_bystander"][1][0]
    box.attach(caller, "pn_free")
    box.set_primary(caller, "pn_bystander")
    sandbox.faults.add(
        Fault("status", method="PUT", path="primary-number", when="after", status=503, count=9)
    )
    sandbox.journal.clear()
    kept = {"variables": {}, "stored": {}, "connections": connections}

    def set_primary(try_number):
        task = CallingBoxSetPrimaryNumberOperator(
            task_id="t", agent_id=caller, number_id="pn_free", retries=2
        )
        return run_task(task, try_number=try_number, **kept)

    assert set_primary(1).state == "up_for_retry"
    assert box.agents[caller].primary_number == "pn_free"
    sandbox.faults.clear()
    writes = len(sandbox.journal.writes())
    outcome = set_primary(2)
    assert (outcome.value["changed"], outcome.value["previous_number_id"]) == (True, "pn_bystander")
    told = {event["dest_asset_key"]["uri"] for event in outcome.asset_events}
    numbers = {number_uri(number, "callingbox") for number in ("pn_free", "pn_bystander")}
    assert told == {agent_uri(caller, "outbound", "callingbox"), *numbers}
    again = set_primary(3)
    assert again.value["changed"] is False
    assert len(sandbox.journal.writes()) == writes
    assert not [key for key in kept["variables"] if "journal" in key]


def test_the_primary_number_of_an_agent_that_makes_no_calls_is_no_event(box, connections):
    box.attach(OTHER_AGENT, "pn_free")
    box.set_primary(OTHER_AGENT, "pn_bystander")
    task = CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=OTHER_AGENT, number_id="pn_free")
    outcome = run_task(task, connections=connections)
    assert (outcome.value["changed"], outcome.asset_events) == (True, [])


def test_an_archived_agent_gets_no_primary_number(box, sandbox, connections):
    box.archive(AGENT)
    box.attach(AGENT, "pn_free")
    sandbox.journal.clear()
    task = CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_free")
    outcome = run_task(task, connections=connections)
    assert isinstance(outcome.error, PhonelinkFailException)
    assert "archived" in str(outcome.error)
    assert not sandbox.journal.writes()
