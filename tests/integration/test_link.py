"""Link: afterwards the number serves the agent in that mode."""

from __future__ import annotations

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import ABSENT, AGENT, OTHER_AGENT, state_of, writes

from airflow_provider_phonelink.operators.dasha import DashaLinkPhoneNumberOperator
from airflow_provider_phonelink.sandbox import Fault

MODES = ("inbound", "replaceOutbound")


def link(**arguments) -> DashaLinkPhoneNumberOperator:
    return DashaLinkPhoneNumberOperator(task_id="link", **{"agent_id": AGENT, **arguments})


@pytest.mark.parametrize("mode", MODES)
def test_links_and_a_second_run_writes_nothing(sandbox, number, connections, mode):
    before = state_of(sandbox)
    first = run_task(link(phone_number_id=number, mode=mode), connections=connections)
    after = state_of(sandbox)
    second = run_task(link(phone_number_id=number, mode=mode), connections=connections, try_number=2)

    assert (first.state, second.state) == ("success", "success"), second.log
    assert sandbox.world.dasha.links()[number] == ((AGENT, []) if mode == "inbound" else (None, [AGENT]))
    assert writes(sandbox) == ["PUT agent-link"]
    assert state_of(sandbox) == after
    assert {k: v for k, v in after.items() if k != number} == {k: v for k, v in before.items() if k != number}
    assert (first.value["changed"], first.value["previous_agent_id"]) == (True, None)
    assert second.value["changed"] is False
    assert first.xcoms["id"] == first.value["id"] == number


def test_replaces_another_agents_link(sandbox, number, connections):
    sandbox.world.dasha.link(number, OTHER_AGENT)
    outcome = run_task(link(phone_number_id=number), connections=connections)

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[number] == (AGENT, [])
    assert outcome.value["previous_agent_id"] == OTHER_AGENT
    assert outcome.value["incoming_calls_agent_id"] == AGENT
    assert OTHER_AGENT in outcome.log


def test_is_not_taken_from_another_agent_if_that_is_not_wished(sandbox, number, connections):
    sandbox.world.dasha.link(number, OTHER_AGENT)
    outcome = run_task(link(phone_number_id=number, if_linked="fail", retries=3), connections=connections)

    assert outcome.state == "failed"
    assert OTHER_AGENT in str(outcome.error)
    assert sandbox.world.dasha.links()[number] == (OTHER_AGENT, [])
    assert not [entry for entry in sandbox.journal if entry.method != "GET"]


def test_its_own_link_is_no_reason_to_fail(sandbox, number, connections):
    sandbox.world.dasha.link(number, AGENT)
    outcome = run_task(link(phone_number_id=number, if_linked="fail"), connections=connections)

    assert (outcome.state, outcome.value["changed"]) == ("success", False)


def test_outbound_replaces_the_agents_number_and_nobody_elses(sandbox, number, connections):
    old = sandbox.world.dasha.add_number("+15550122", outbound=[AGENT, OTHER_AGENT])
    outcome = run_task(link(phone_number_id=number, mode="replaceOutbound"), connections=connections)

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[number] == (None, [AGENT])
    assert sandbox.world.dasha.links()[old] == (None, [OTHER_AGENT])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unknown", ["number", "agent"])
def test_what_is_not_there_fails_at_once(sandbox, number, connections, mode, unknown):
    sandbox.set(dasha_unknown_agent="refuse")
    task = link(phone_number_id=ABSENT if unknown == "number" else number, mode=mode, retries=3)
    outcome = run_task(task, connections=connections)

    assert outcome.state == "failed"
    assert "404" in str(outcome.error)
    assert not writes(sandbox)


@pytest.mark.parametrize(
    "agent", ["a b", "ünïcode", "x?y=z&mode=replaceOutbound", "%2e%2e", "#", "a;b", "+1"]
)
@pytest.mark.parametrize("mode", MODES)
def test_an_agents_id_is_opaque(sandbox, number, connections, agent, mode):
    outcome = run_task(link(phone_number_id=number, agent_id=agent, mode=mode), connections=connections)

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[number] == ((agent, []) if mode == "inbound" else (None, [agent]))


def test_an_id_in_capitals_is_the_same(sandbox, number, connections):
    outcome = run_task(link(phone_number_id=number.upper()), connections=connections)

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[number] == (AGENT, [])


def test_a_vendor_that_claims_to_have_linked_it(sandbox, number, connections):
    sandbox.faults.add(Fault("ignored", claim=True, method="PUT"))
    outcome = run_task(link(phone_number_id=number, retries=1), connections=connections)

    assert outcome.state == "up_for_retry"


def test_a_vendor_that_writes_nobody_as_an_empty_text(sandbox, number, connections):
    sandbox.faults.add(Fault("edit", method="GET", merge={"incomingCallsAgentId": ""}))
    outcome = run_task(link(phone_number_id=number, if_linked="fail"), connections=connections)

    assert outcome.state == "success", outcome.error


def test_templates(sandbox, number, connections):
    outcome = run_task(
        link(
            phone_number_id="{{ ti.xcom_pull('create', key='id') }}",
            agent_id="{{ dag_run.conf.agent }}",
            mode="{{ params.mode }}",
            if_linked="{{ params.if_linked }}",
            dasha_conn_id="{{ params.conn }}",
            params={"mode": "inbound", "if_linked": "fail", "conn": "dasha_default"},
        ),
        connections=connections,
        xcoms={("create", "id"): number},
        conf={"agent": AGENT},
    )

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[number] == (AGENT, [])
