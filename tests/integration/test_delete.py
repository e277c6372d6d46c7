"""Deleting by the hook: the number is gone, and off its provider's trunk, whatever the vendor's plain delete does."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, OTHER_AGENT

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.dasha import DashaDeletePhoneNumberOperator
from airflow_provider_phonelink.sandbox import Fault, Switches

SWITCHES = ("dasha_provider_delete", "dasha_delete_answer", "dasha_null_fields")
ANSWERS = [(name, value) for name in SWITCHES for value in Switches.choices()[name]]


@pytest.mark.parametrize("kind", ["twilio", None])
@pytest.mark.parametrize(("name", "value"), ANSWERS)
def test_the_number_is_gone_and_off_the_trunk(sandbox, hooks, name, value, kind):
    sandbox.set(**{name: value})
    world = sandbox.world.dasha
    provider = world.trunks.add_provider(kind) if kind else None
    number_id = world.add_number("+15550100001", provider_id=provider, outbound=[AGENT])
    # The answer to the delete is lost after it took effect.
    sandbox.faults.add(Fault("drop", method="DELETE", when="after", count=1))
    hooks().dasha.delete_number(number_id, force=True)
    assert (world.numbers, world.outbound.number_of) == ({}, {})
    assert not provider or world.trunks.connected(provider) == []
    assert len(sandbox.journal.writes()) == 1


def test_a_number_that_is_gone_already_was_not_deleted_by_this_call(sandbox, hooks):
    number_id = sandbox.world.dasha.add_number("+15550100001")
    sandbox.world.dasha.delete(number_id)
    with pytest.raises(PhonelinkFailException, match="404"):
        hooks().dasha.delete_number(number_id)


@pytest.mark.parametrize("kind", ["twilio", None])
def test_a_number_in_use_stays(sandbox, hooks, kind):
    world = sandbox.world.dasha
    provider = world.trunks.add_provider(kind) if kind else None
    number_id = world.add_number("+15550100001", provider_id=provider, inbound=AGENT)
    with pytest.raises(PhonelinkFailException, match="409"):
        hooks().dasha.delete_number(number_id)
    assert list(world.numbers) == [number_id]
    assert not provider or world.trunks.connected(provider) == ["+15550100001"]


@pytest.mark.parametrize("on_failed", ["fail", "report"])
def test_in_its_last_try_a_task_gives_back_what_it_took_and_cannot_delete(sandbox, connections, on_failed):
    """Airflow says which try is the last one; a task that only reports has no later one."""
    world = sandbox.world.dasha
    number_id = world.add_number("+15550100001", inbound=AGENT, outbound=[OTHER_AGENT])
    sandbox.faults.add(Fault("status", method="DELETE", path=f"{number_id}$", status=503, count=None))
    kept: dict[str, Any] = {
        "connections": {id_: {**one, "extra": {"max_retries": 0}} for id_, one in connections.items()},
        "variables": {},
        "stored": {},
    }

    def run(**options):
        task = DashaDeletePhoneNumberOperator(
            task_id="t", phone_number_ids=number_id, if_linked="unlink", on_failed=on_failed, retries=1
        )
        return run_task(task, **kept, **options)

    outcome = run()
    if on_failed == "fail":
        assert (outcome.state, world.links()) == ("up_for_retry", {number_id: (None, [])})
        assert f"It was taken from agent {OTHER_AGENT}, agent {AGENT}." in str(outcome.error)
        outcome = run(try_number=2)
    assert outcome.state == {"fail": "failed", "report": "success"}[on_failed]
    assert world.links() == {number_id: (AGENT, [OTHER_AGENT])}
    reason = outcome.value["rows"][0]["reason"]
    assert f"It was given back to agent {OTHER_AGENT}, agent {AGENT}." in reason
    assert not outcome.asset_events


def test_a_phone_number_that_no_number_has_is_green_with_a_warning(sandbox, connections):
    task = DashaDeletePhoneNumberOperator(task_id="t", phone_number_ids="+15550100001")
    outcome = run_task(task, connections=connections)
    assert (outcome.state, outcome.value["steps"]) == ("success", {"gone": 1})
    assert outcome.value["warnings"] == [
        "There is no number +15550100001: it is gone, or was written otherwise."
    ]
