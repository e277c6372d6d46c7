"""Line breaks, escapes and direction marks in what a vendor says forge nothing where it leaves."""

from __future__ import annotations

import json

import pytest
from airflow_harness.tasks import run_task, run_trigger
from integration.worlds import AGENT, CREDENTIALS

from airflow_provider_phonelink.api.text import is_unsafe
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxReconcileLinksOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger, DashaRegistrationTrigger

BAD = "\r\nERROR forged\x1b]8;;http://x\x07\x9b31m\u202e\u2028\u2066"
PHONE = f"+15550100{BAD}"
NAME = f"agent{BAD}"


def number(sandbox, phone=PHONE, **state):
    state.setdefault("steps", [{"after": 0, "state": f"Failed{BAD}", "error": f"reason{BAD}"}])
    return sandbox.world.dasha.add_number(phone, CREDENTIALS, display_name=BAD, **state)


def hostile(sandbox):
    """Numbers and agents with such names at both vendors."""
    box = sandbox.world.callingbox
    for kind, agent in (("inbound", NAME), ("outbound", f"out{BAD}"), ("inbound", AGENT)):
        box.add_agent(kind, id=agent)
    box.add_number(PHONE, id="pn_1", friendly_name=BAD, agents=[NAME, f"out{BAD}"])
    box.add_number("+1555010", id="pn_2", agents=[AGENT])
    return number(sandbox, inbound=NAME, outbound=[f"out{BAD}"]), number(sandbox, f"{PHONE}2")


TASKS = {
    "create": lambda ids: DashaCreatePhoneNumberOperator(
        task_id="t", phone_number="+1", credentials_id=CREDENTIALS, description="d", if_exists="update"
    ),
    "list": lambda ids: DashaListPhoneNumbersOperator(task_id="t"),
    "link": lambda ids: DashaLinkPhoneNumberOperator(
        task_id="t", phone_number_id=ids[0], agent_id=AGENT, mode="inbound"
    ),
    "link that may not take": lambda ids: DashaLinkPhoneNumberOperator(
        task_id="t", phone_number_id=ids[0], agent_id=AGENT, mode="inbound", if_linked="fail"
    ),
    "link outbound": lambda ids: DashaLinkPhoneNumberOperator(
        task_id="t", phone_number_id=ids[0], agent_id=AGENT, mode="replaceOutbound"
    ),
    "unlink": lambda ids: DashaUnlinkPhoneNumberOperator(
        task_id="t", phone_number_id=ids[0], agent_id=AGENT, mode="inbound"
    ),
    "rotate": lambda ids: DashaRotatePhoneNumberOperator(task_id="t", agent_id=AGENT, pool=list(ids)),
    "reconcile": lambda ids: DashaReconcileLinksOperator(
        task_id="t", routes=[{"number": id_, "agent_id": AGENT} for id_ in ids]
    ),
    "reconcile with a name that several have": lambda ids: DashaReconcileLinksOperator(
        task_id="t", routes=[{"number": "+15550100", "agent_id": AGENT}], prune=True, scope={"pool": ids[0]}
    ),
    "wait": lambda ids: DashaRegistrationSensor(task_id="t", phone_number_ids=list(ids), mode="reschedule"),
    "attach": lambda ids: CallingBoxAttachNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_1"),
    "move": lambda ids: CallingBoxAttachNumberOperator(
        task_id="t", agent_id=AGENT, number_id="pn_1", if_attached="move"
    ),
    "detach": lambda ids: CallingBoxDetachNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_1"),
    "reconcile at CallingBox": lambda ids: CallingBoxReconcileLinksOperator(
        task_id="t", routes=[{"number": "pn_1", "agent_id": AGENT}], prune=True, scope={"pool": "pn_1,pn_2"}
    ),
}


#: Those that have no reason to name the number or an agent of it.
UNNAMED = {"create", "list", "reconcile with a name that several have", "detach"}


def unsafe_in(text):
    return sorted({repr(character) for character in text if character != "\n" and is_unsafe(character)})


def strings_in(value):
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in strings_in(item))]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in strings_in(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", TASKS)
def test_logs_and_errors(sandbox, connections, name):
    outcome = run_task(TASKS[name](hostile(sandbox)), connections=connections)
    # Airflow's own lines on what it exchanges with its supervisor are none of ours.
    ours = [line for line in outcome.log.splitlines() if not line.startswith("DEBUG ")]
    assert any("forged" in line for line in ours) is (name not in UNNAMED)
    for line in ours:
        assert unsafe_in(line) == []
        assert not line.startswith("ERROR forged")
    for event in outcome.asset_events:
        assert [text for text in strings_in(event) if unsafe_in(text) or "\n" in text] == []
    if outcome.error:
        assert unsafe_in(str(outcome.error)) == []
        assert "\n" not in str(outcome.error)


def test_events_of_the_trigger(sandbox, connections):
    steps = [{"after": 0, "state": "Registered"}, {"after": 1, "state": f"Failed{BAD}", "error": BAD}]
    lost = number(sandbox, steps=steps)
    trigger = DashaRegistrationEventTrigger(
        phone_number_ids=[lost], poll_interval=0.1, failed_states=f"Failed{BAD}"
    )
    [event] = run_trigger(trigger, connections=connections, max_events=1)
    assert [text for text in strings_in(event) if unsafe_in(text) or "\n" in text] == []


def test_the_event_of_a_wait(sandbox, connections):
    trigger = DashaRegistrationTrigger(
        phone_number_ids=[number(sandbox)],
        dasha_conn_id="dasha_default",
        deadline=9e9,
        poll_interval=0.1,
        failed_states=[f"Failed{BAD}"],
    )
    [event] = run_trigger(trigger, connections=connections)
    assert event["status"] == "failed"
    assert [text for text in strings_in(event) if unsafe_in(text) or "\n" in text] == []


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv"])
@pytest.mark.parametrize("conn_id", ["dasha_default", "callingbox_default"])
def test_what_the_command_line_prints(phonelink_sandbox, phonelink, form, conn_id):
    hostile(phonelink_sandbox)
    for words in ["numbers", "list"], ["routes", "export"]:
        if words == ["routes", "export"] and form == "table":
            continue
        code, out, err = phonelink(*words, "-o", form, "--conn-id", conn_id)
        assert code == 0, err
        assert unsafe_in(out + err) == []
        assert "ERROR forged" not in [line.strip() for line in (out + err).splitlines()]
        if form == "json":
            assert any("forged" in text for text in strings_in(json.loads(out)))
