"""Unlink: afterwards this agent no longer has the number."""

from __future__ import annotations

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import ABSENT, AGENT, OTHER_AGENT, state_of, writes

from airflow_provider_phonelink.operators.dasha import DashaUnlinkPhoneNumberOperator
from airflow_provider_phonelink.sandbox import Fault, Switches

MODES = ("inbound", "replaceOutbound")


def unlink(number: str, **arguments) -> DashaUnlinkPhoneNumberOperator:
    arguments = {"agent_id": AGENT, **arguments}
    return DashaUnlinkPhoneNumberOperator(task_id="unlink", phone_number_id=number, **arguments)


@pytest.fixture
def linked(sandbox, number) -> str:
    sandbox.world.dasha.link(number, AGENT)
    sandbox.world.dasha.link(number, AGENT, "replaceOutbound")
    return number


@pytest.mark.parametrize("mode", MODES)
def test_unlinks_and_a_second_run_writes_nothing(sandbox, linked, connections, mode):
    before = state_of(sandbox)
    first = run_task(unlink(linked, mode=mode), connections=connections)
    second = run_task(unlink(linked, mode=mode), connections=connections, try_number=2)

    assert (first.state, second.state) == ("success", "success"), second.log
    assert sandbox.world.dasha.links()[linked] == ((None, [AGENT]) if mode == "inbound" else (AGENT, []))
    assert writes(sandbox) == ["DELETE agent-link"]
    after = state_of(sandbox)
    assert {k: v for k, v in after.items() if k != linked} == {k: v for k, v in before.items() if k != linked}
    assert (first.value["changed"], first.value["previous_agent_id"]) == (True, AGENT)
    assert (second.value["changed"], second.value["previous_agent_id"]) == (False, None)


@pytest.mark.parametrize("mode", MODES)
def test_another_agents_link_is_left_alone_and_the_log_says_so(sandbox, linked, connections, mode):
    outcome = run_task(unlink(linked, agent_id=OTHER_AGENT, mode=mode), connections=connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value["changed"] is False
    assert "nothing was written" in outcome.log
    assert sandbox.world.dasha.links()[linked] == (AGENT, [AGENT])
    assert not [entry for entry in sandbox.journal if entry.method != "GET"]


def test_without_an_agent_whoever_is_there_loses_the_number(sandbox, linked, connections):
    outcome = run_task(unlink(linked, agent_id=None), connections=connections)

    assert outcome.value["previous_agent_id"] == AGENT
    assert sandbox.world.dasha.links()[linked] == (None, [AGENT])


@pytest.mark.parametrize("mode", MODES)
def test_a_number_that_is_gone_fails_at_once(sandbox, connections, mode):
    outcome = run_task(unlink(ABSENT, mode=mode, retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "404" in str(outcome.error)


@pytest.mark.parametrize("status", Switches.choices()["dasha_unlinked_again_status"])
@pytest.mark.parametrize("mode", MODES)
def test_somebody_unlinked_it_between_look_and_write(sandbox, linked, connections, mode, status):
    sandbox.set(dasha_unlinked_again_status=status)
    sandbox.faults.meanwhile(lambda world: world.dasha.unlink(linked, mode, AGENT), method="DELETE")
    outcome = run_task(unlink(linked, mode=mode), connections=connections)

    assert outcome.state == "success", outcome.log


def test_an_outbound_unlink_whose_answer_was_lost(sandbox, linked, connections):
    sandbox.set(dasha_unlinked_again_status=404)
    sandbox.faults.add(Fault("drop", method="DELETE", when="after"))
    outcome = run_task(unlink(linked, mode="replaceOutbound"), connections=connections)

    assert sandbox.world.dasha.links()[linked] == (AGENT, [])
    assert outcome.state == "success", outcome.log


def test_somebody_took_it_between_look_and_write_and_the_vendor_refuses(sandbox, linked, connections):
    sandbox.set(dasha_unlink_agent_id="refused")
    sandbox.faults.meanwhile(lambda world: world.dasha.link(linked, OTHER_AGENT), method="DELETE")
    outcome = run_task(unlink(linked), connections=connections)

    assert sandbox.world.dasha.links()[linked] == (OTHER_AGENT, [AGENT])
    assert outcome.state == "success", outcome.log


def test_templates(sandbox, linked, connections):
    outcome = run_task(
        unlink(
            "{{ ti.xcom_pull('create')['id'] }}",
            agent_id="{{ params.agent }}",
            mode="{{ params.mode }}",
            dasha_conn_id="{{ params.conn }}",
            params={"agent": AGENT, "mode": "replaceOutbound", "conn": "dasha_default"},
        ),
        connections=connections,
        xcoms={"create": {"id": linked}},
    )

    assert outcome.state == "success", outcome.log
    assert sandbox.world.dasha.links()[linked] == (AGENT, [])
