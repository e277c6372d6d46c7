"""Reconcile: what fails, is killed, or is done by others meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from integration.reconciling import AFTER, BEFORE, WISHED, links, phone, route
from integration.worlds import (
    AGENT,
    CREDENTIALS,
    OTHER_AGENT,
    THIRD_AGENT,
    writes,
)

from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.sandbox import Fault


class TestPartialFailure:
    def test_the_rest_is_done_then_a_second_run_finishes_and_a_third_does_nothing(
        self, sandbox, dasha_ids, reconcile
    ):
        sandbox.faults.add(Fault("status", status=503, method="PUT", path=dasha_ids[4], count=None))
        first = reconcile(WISHED)
        assert first.state == "up_for_retry", first.log
        assert isinstance(first.error, PhonelinkRetryableException)
        # The agent that was to lose its only number keeps it, for it did not get the other one.
        assert links(sandbox, dasha_ids) == BEFORE
        assert (first.value["done"], first.value["failed"], first.value["held_back"]) == (0, 2, 1)
        assert [c["state"] for c in first.value["changes"]] == ["failed", "failed", "held back"]
        assert all("503" in c["error"] for c in first.value["changes"][:2])
        assert "0 of 3 changes are made, 2 failed, 1 were held back" in str(first.error)
        assert f"+ link   {phone(4)} (id {dasha_ids[4]}) inbound to agent {AGENT}: Linking" in str(
            first.error
        )

        sandbox.faults.clear()
        assert reconcile(WISHED, run_options={"try_number": 2}).state == "success"
        assert links(sandbox, dasha_ids) == AFTER
        sandbox.journal.clear()
        assert reconcile(WISHED, run_options={"try_number": 3}).state == "success"
        assert writes(sandbox) == []

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
    def test_is_not_retried_if_that_cannot_help(self, sandbox, dasha_ids, reconcile, status):
        sandbox.faults.add(Fault("status", status=status, method="PUT", path=dasha_ids[4], count=None))
        outcome = reconcile([route(1, OTHER_AGENT), route(2, THIRD_AGENT), route(4, AGENT)])
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert links(sandbox, dasha_ids) == BEFORE  # each keeps its only number, down the whole chain
        assert outcome.value["held_back"] == 2

    def test_an_agent_that_did_not_get_its_number_keeps_the_old_one(self, sandbox, dasha_ids, reconcile):
        sandbox.faults.add(Fault("status", status=400, method="PUT", path=dasha_ids[4], count=None))
        arguments = {"prune": True, "scope": {"agents": [AGENT, OTHER_AGENT], "modes": ["inbound"]}}
        outcome = reconcile([route(4, AGENT)], **arguments)
        assert outcome.state == "failed"
        assert links(sandbox, dasha_ids) == {**BEFORE, 2: (None, [])}
        assert {c["phone_number"]: c["state"] for c in outcome.value["changes"]} == {
            phone(4): "failed",
            phone(1): "held back",
            phone(2): "done",
        }

        sandbox.faults.clear()
        assert reconcile([route(4, AGENT)], **arguments).state == "success"
        assert links(sandbox, dasha_ids) == {**BEFORE, 1: (None, []), 2: (None, []), 4: (AGENT, [])}

    def test_a_key_that_is_refused_is_not_tried_again_and_again(self, sandbox, dasha_ids, reconcile):
        many = [sandbox.world.dasha.add_number(phone(100 + i), CREDENTIALS) for i in range(60)]
        sandbox.faults.add(Fault("status", status=401, method="GET", path="sip-phone-numbers/", count=None))
        outcome = reconcile([route(phone(100 + i), AGENT) for i in range(len(many))])
        assert isinstance(outcome.error, PhonelinkFailException)
        assert writes(sandbox) == []
        assert {c["state"] for c in outcome.value["changes"]} == {"failed", "held back"}
        assert len(sandbox.journal.requests(path="sip-phone-numbers/")) < len(many)

    @pytest.mark.parametrize("path", ["sip-phone-numbers$", "affected-agents$"])
    def test_nothing_is_written_if_not_all_could_be_read(self, sandbox, dasha_ids, reconcile, path):
        sandbox.faults.add(Fault("status", status=503, path=path, count=None))
        outcome = reconcile(WISHED)
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert writes(sandbox) == []

    def test_a_process_that_is_killed_between_changes_is_the_same(
        self, sandbox, dasha_ids, connections, reconcile, tmp_path
    ):
        numbers = [sandbox.world.dasha.add_number(phone(100 + i), CREDENTIALS) for i in range(40)]
        wishes = [route(phone(100 + i), AGENT) for i in range(len(numbers))]
        (tmp_path / "routes.json").write_text(json.dumps(wishes))
        slow = sandbox.faults.add(Fault("slow", seconds=0.2, method="PUT", count=None))
        command = [sys.executable, "-m", "airflow_provider_phonelink.cli", "routes", "apply", "--yes", "-f"]
        with subprocess.Popen(
            [*command, str(tmp_path / "routes.json")],
            env={**os.environ, "AIRFLOW_CONN_DASHA_DEFAULT": json.dumps(connections["dasha_default"])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            deadline = time.monotonic() + 60
            while len(writes(sandbox)) < 5 and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
        sandbox.faults.remove(slow)
        time.sleep(0.5)  # what was under way when it was killed
        done = sum(agent == AGENT for agent, _ in sandbox.world.dasha.links().values()) - 1
        assert 5 <= done < len(numbers)

        sandbox.journal.clear()
        outcome = reconcile(str(tmp_path / "routes.json"))
        assert (outcome.state, outcome.value["unchanged"]) == ("success", done), outcome.log
        assert len(writes(sandbox)) == len(numbers) - done
        sandbox.journal.clear()
        assert reconcile(wishes).value["unchanged"] == len(numbers)
        assert writes(sandbox) == []


class TestMeanwhile:
    """Somebody else changes links after they were read."""

    def test_a_route_takes_the_number_from_whoever_has_it_by_then(self, sandbox, dasha_ids, reconcile):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(dasha_ids[4], THIRD_AGENT), method="GET", path=f"{dasha_ids[4]}$"
        )
        outcome = reconcile([route(4, AGENT)])
        assert outcome.state == "success", outcome.log
        assert links(sandbox, dasha_ids)[4] == (AGENT, [])
        assert f"was with agent {THIRD_AGENT} by then" in outcome.log

    def test_what_somebody_did_already_is_not_written(self, sandbox, dasha_ids, reconcile):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(dasha_ids[4], AGENT), method="GET", path=f"{dasha_ids[4]}$"
        )
        outcome = reconcile([route(4, AGENT)])
        assert (outcome.state, outcome.value["done"]) == ("success", 1), outcome.log
        assert writes(sandbox) == []

    def test_a_removal_takes_it_from_the_agent_in_the_plan_only(self, sandbox, dasha_ids, reconcile):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(dasha_ids[1], THIRD_AGENT), method="GET", path=f"{dasha_ids[1]}$"
        )
        arguments = {"prune": True, "scope": {"pool": [phone(1), phone(2)], "modes": ["inbound"]}}
        outcome = reconcile([], **arguments)
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert f"agent {THIRD_AGENT} has it now" in str(outcome.error)
        assert links(sandbox, dasha_ids) == {**BEFORE, 1: (THIRD_AGENT, []), 2: (None, [])}
        assert reconcile([], run_options={"try_number": 2}, **arguments).state == "success"
        assert links(sandbox, dasha_ids)[1] == (None, [])

    def test_a_number_that_is_deleted(self, sandbox, dasha_ids, reconcile):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.delete(dasha_ids[4], force=True), method="GET", path=f"{dasha_ids[4]}$"
        )
        outcome = reconcile([route(4, AGENT), route(2, THIRD_AGENT)])
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert sandbox.world.dasha.links()[dasha_ids[2]][0] == THIRD_AGENT


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "html", "cut", "broken_json", "status"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_single_faults_are_survived(sandbox, dasha_ids, reconcile, kind, when, method):
    extra: dict[str, Any] = {"status": 503} if kind == "status" else {}
    sandbox.faults.add(Fault(kind, method=method, when=when, **extra))
    outcome = reconcile(WISHED, prune=True, scope={"agents": [AGENT, OTHER_AGENT]})
    assert outcome.state == "success", outcome.log
    assert links(sandbox, dasha_ids) == AFTER
    assert len(writes(sandbox)) <= 3
