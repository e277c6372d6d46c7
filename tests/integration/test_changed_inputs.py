"""A later try that is about something else, or has no sound inputs, sees to what an earlier one began with."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from airflow.sdk import DAG
from integration.test_move import MOVED, Tries, move, primaries, world
from integration.worlds import AGENT, OTHER_AGENT, THIRD_AGENT, writes

from airflow_provider_phonelink.compat import AirflowTaskTimeout
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxReconcileLinksOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaDeletePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault

__all__ = ["world"]

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
NOTHING = "{{ ti.xcom_pull('nothing') }}"
FAILING = Fault("status", method="POST", path="numbers$", status=502, count=None)
GIVEN_BACK = f"has been given back: +15550201 (id {MOVED}), to agent {OTHER_AGENT}."


def attach(**arguments: Any) -> CallingBoxAttachNumberOperator:
    return CallingBoxAttachNumberOperator(
        **{"task_id": "move", "agent_id": AGENT, "number_id": MOVED, "if_attached": "move", **arguments}
    )


def reconcile(**arguments: Any) -> CallingBoxReconcileLinksOperator:
    routes = [{"number": MOVED, "agent_id": AGENT}]
    return CallingBoxReconcileLinksOperator(**{"task_id": "move", "routes": routes, **arguments})


def natively(task):
    """Let a template that gives nothing give None."""
    DAG("harness", schedule=None, start_date=START, render_template_as_native_obj=True).add_task(task)
    return task


def told(outcome) -> dict[str, dict[str, Any]]:
    return {
        event["dest_asset_key"]["uri"].partition("box/")[2]: event["extra"]
        for event in outcome.asset_events
        if event["extra"]
    }


@pytest.fixture
def in_the_gap(sandbox, world, connections):
    """Return a task whose first try took the number from its agent, and could neither give it on nor back."""

    def begun(task, **options) -> Tries:
        tries = Tries(task, connections)
        armed = sandbox.faults.add(FAILING)
        first = tries(**options)
        assert isinstance(first.error, PhonelinkRetryableException), first.log
        assert world.links()[MOVED] == (None, ["agent-outbound"])
        sandbox.faults.remove(armed)
        sandbox.journal.clear()
        return tries

    return begun


class TestInTheGap:
    def test_another_number(self, world, in_the_gap):
        tries = in_the_gap(move())
        tries.task = attach(number_id="pn_second")
        outcome = tries()

        assert outcome.state == "success", outcome.log
        assert (world.links()[MOVED][0], world.links()["pn_second"][0]) == (OTHER_AGENT, AGENT)
        assert primaries(world) == (MOVED, "pn_own")
        assert GIVEN_BACK in outcome.log
        assert set(told(outcome)) == {
            f"agents/{AGENT}/inbound",
            f"agents/{OTHER_AGENT}/inbound",
            "numbers/pn_second",
        }
        assert tries.variables == {}

    def test_another_number_where_no_agent_tells_its_type(self, sandbox, world, in_the_gap):
        hidden = Fault("edit", vendor="callingbox", path="agents/", remove=("type",), count=None)
        sandbox.faults.add(hidden)
        tries = in_the_gap(move())
        tries.task = attach(number_id="pn_second")
        outcome = tries()

        assert outcome.state == "success", outcome.log
        assert (world.links()[MOVED][0], world.links()["pn_second"][0]) == (OTHER_AGENT, AGENT)
        assert tries.variables == {}

    def test_an_agent_that_makes_calls(self, world, in_the_gap):
        tries = in_the_gap(move())
        tries.task = attach(agent_id="agent-outbound")
        outcome = tries()

        assert outcome.state == "success", outcome.log
        assert world.links()[MOVED] == (OTHER_AGENT, ["agent-outbound"])
        assert (told(outcome), tries.variables) == ({}, {})

    def test_it_may_not_be_moved_any_more(self, world, in_the_gap):
        tries = in_the_gap(move())
        tries.task = attach(if_attached="fail")
        outcome = tries()

        assert outcome.value["previous_agent_id"] == OTHER_AGENT
        assert world.links()[MOVED][0] == AGENT
        assert primaries(world) == ("pn_second", "pn_own")
        assert f"agents/{OTHER_AGENT}/inbound" in told(outcome)

    @pytest.mark.parametrize("task", [attach, reconcile])
    def test_another_connection(self, sandbox, connections, world, in_the_gap, task):
        connections["other"] = connections["callingbox_default"]
        tries = in_the_gap(task())
        kept = dict(tries.variables)
        tries.task = task(callingbox_conn_id="other")
        outcome = tries()

        assert isinstance(outcome.error, PhonelinkRetryableException)
        for word in (MOVED, OTHER_AGENT, "callingbox_default", "other", "Nothing was sent."):
            assert word in str(outcome.error)
        assert (len(sandbox.journal), tries.variables) == (0, kept)

        tries.task = task()
        assert tries().state == "success"
        assert world.links()[MOVED][0] == AGENT

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"agent_id": NOTHING}, "agent_id: is None"),
            ({"agent_id": " "}, "agent_id: is empty"),
            ({"if_attached": "steal"}, "if_attached"),
            ({"number_id": "+1555 999"}, "there is no number"),
            ({"agent_id": "agent-nowhere"}, "404"),
        ],
        ids=str,
    )
    def test_arguments_that_are_refused(self, world, in_the_gap, arguments, word):
        tries = in_the_gap(move(retries=3))
        tries.task = natively(attach(retries=3, **arguments))
        outcome = tries()

        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert word in str(outcome.error)
        assert GIVEN_BACK in str(outcome.error)
        assert world.links()[MOVED][0] == OTHER_AGENT
        assert primaries(world) == (MOVED, "pn_own")

    @pytest.mark.parametrize(
        "arguments",
        [{"routes": NOTHING}, {"approved_plan": NOTHING}, {"approved_plan": "x"}, {"max_changes": 0}],
        ids=str,
    )
    def test_a_plan_that_is_refused(self, world, in_the_gap, arguments):
        tries = in_the_gap(reconcile())
        tries.task = natively(reconcile(**arguments))
        outcome = tries()

        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert GIVEN_BACK in str(outcome.error)
        assert world.links()[MOVED][0] == OTHER_AGENT

    @pytest.mark.parametrize("on_drift", ["report", "skip", "fail"])
    def test_a_dry_run_plans_once_the_number_is_back(self, world, in_the_gap, on_drift):
        tries = in_the_gap(reconcile())
        tries.task = reconcile(dry_run=True, on_drift=on_drift)
        outcome = tries()

        assert outcome.state == {"report": "success", "skip": "skipped", "fail": "failed"}[on_drift]
        assert world.links()[MOVED][0] == OTHER_AGENT
        assert GIVEN_BACK in outcome.log
        [change] = outcome.value["changes"]
        assert (change["action"], change["previous_agent_id"]) == ("move", OTHER_AGENT)

    @pytest.mark.parametrize(
        ("task", "later"),
        [
            (reconcile, {"dry_run": True}),
            (reconcile, {}),
            (attach, {}),
            (attach, {"agent_id": NOTHING}),
            (attach, {"number_id": "pn_moved_too"}),
        ],
        ids=str,
    )
    def test_what_cannot_be_given_back_is_named_and_tried_again(
        self, sandbox, world, in_the_gap, task, later
    ):
        world.add_number("+15550209", id="pn_moved_too")  # the beginning of which is the other one's id
        tries = in_the_gap(task())
        world.archive(AGENT)
        sandbox.faults.add(Fault("status", method="POST", path="numbers$", status=400, count=None))
        tries.task = natively(task(**later))
        outcome = tries()

        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert f"may be with nobody: +15550201 (id {MOVED}), from agent {OTHER_AGENT}." in str(outcome.error)
        sandbox.faults.clear()
        assert tries().state == "failed"  # for the agent is archived
        assert world.links()[MOVED][0] == OTHER_AGENT

    def test_time_is_up(self, world, connections, monkeypatch):
        from airflow_provider_phonelink.api.senders import Sender

        genuine = Sender._try

        def timing_out(sender, call):
            if call.method == "POST":
                raise AirflowTaskTimeout("Timeout")
            return genuine(sender, call)

        monkeypatch.setattr(Sender, "_try", timing_out)
        outcome = Tries(move(), connections)()

        assert outcome.state == "failed"
        assert f"may be with nobody: +15550201 (id {MOVED}), from agent {OTHER_AGENT}." in outcome.log


def test_the_primary_number_of_another_agent(sandbox, world, connections):
    for number in ("pn_one", "pn_two"):
        world.add_number(f"+1555030{len(number)}", id=number, agents=["agent-outbound"])
    world.set_primary("agent-outbound", "pn_one")
    for takes_effect in (True, False):
        tries = Tries(
            CallingBoxSetPrimaryNumberOperator(
                task_id="primary", agent_id="agent-outbound", number_id="pn_two"
            ),
            connections,
        )
        fault = Fault("drop" if takes_effect else "ignored", method="PUT", when="after", count=None)
        armed = sandbox.faults.add(fault)
        assert tries().state == "failed"
        sandbox.faults.remove(armed)
        tries.task = CallingBoxSetPrimaryNumberOperator(
            task_id="primary", agent_id=OTHER_AGENT, number_id="pn_second"
        )
        outcome = tries()
        assert outcome.state == "success", outcome.log
        # The primary number of an agent that makes no calls is no link.
        expected = {"agents/agent-outbound/outbound", "numbers/pn_one", "numbers/pn_two"}
        assert set(told(outcome)) == (expected if takes_effect else set())
        world.set_primary("agent-outbound", "pn_one")
        world.set_primary(OTHER_AGENT, MOVED)


class TestDasha:
    @pytest.fixture
    def numbers(self, sandbox):
        add = sandbox.world.dasha.add_number
        return [add(f"+1555010000{i}", inbound=OTHER_AGENT) for i in range(2)]

    @pytest.mark.parametrize("takes_effect", [True, False])
    @pytest.mark.parametrize("by_somebody", [False, True])
    def test_a_link_of_another_number(self, sandbox, connections, numbers, takes_effect, by_somebody):
        one, other = numbers
        tries = Tries(
            DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=one, agent_id=AGENT), connections
        )
        kind = Fault("drop", method="GET", nth=2, count=None)
        armed = [sandbox.faults.add(kind)]
        if not takes_effect:
            armed.append(sandbox.faults.add(Fault("ignored", method="PUT", claim=True)))
        assert tries().state == "failed"
        for fault in armed:
            sandbox.faults.remove(fault)
        if by_somebody:
            sandbox.world.dasha.link(one, THIRD_AGENT, "inbound")
        tries.task = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=other, agent_id=AGENT)
        outcome = tries()

        assert outcome.state == "success", outcome.log
        found = {event["dest_asset_key"]["uri"]: event["extra"] for event in outcome.asset_events}
        change = found.get(f"phonelink://dasha/numbers/{one}", {})
        if takes_effect or by_somebody:
            now = THIRD_AGENT if by_somebody else AGENT
            assert (change["agent_id"], change["previous_agent_id"]) == (now, OTHER_AGENT)
        else:
            assert change == {}
        assert f"phonelink://dasha/numbers/{other}" in found
        assert tries.variables == {}

    def test_what_was_told_is_told_again_only_where_it_is_so_still(self, sandbox, connections, numbers):
        """Airflow 3.3 keeps a task's state when it is cleared, so that it cannot be told from a worker that died."""
        number, _ = numbers
        tries = Tries(DashaUnlinkPhoneNumberOperator(task_id="unlink", phone_number_id=number), connections)
        assert len(tries().asset_events) == 2
        again = tries()
        assert {event["extra"]["changed"] for event in again.asset_events} <= {False}
        sandbox.world.dasha.link(number, THIRD_AGENT, "inbound")
        tries.task = DashaUnlinkPhoneNumberOperator(
            task_id="unlink", phone_number_id=number, agent_id=OTHER_AGENT
        )
        later = tries()
        assert (later.asset_events, later.value["previous_agent_id"]) == ([], THIRD_AGENT)

    def test_a_journal_that_cannot_be_read_is_gone_once_the_task_succeeds(
        self, sandbox, connections, numbers
    ):
        tries = Tries(
            DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=numbers[0], agent_id=AGENT),
            connections,
        )
        armed = sandbox.faults.add(Fault("drop", method="GET", nth=2, count=None))
        assert tries().state == "failed"
        sandbox.faults.remove(armed)
        [key] = tries.variables
        tries.variables[key] = "{"
        outcome = tries()
        assert "cannot be read and is ignored" in outcome.log
        assert (outcome.state, tries.variables) == ("success", {})

    @pytest.mark.parametrize("refused", [False, True])
    @pytest.mark.parametrize(
        "arguments", [{"phone_number_ids": NOTHING}, {"phone_number_ids": []}, {"if_linked": "bad"}], ids=str
    )
    def test_a_delete_with_arguments_that_are_refused(
        self, sandbox, connections, numbers, arguments, refused
    ):
        number, _ = numbers
        given = {"task_id": "delete", "phone_number_ids": number, "if_linked": "unlink", "retries": 3}
        tries = Tries(DashaDeletePhoneNumberOperator(**given), connections)
        armed = sandbox.faults.add(
            Fault("status", method="DELETE", path=f"{number}$", status=503, count=None)
        )
        assert tries().state == "up_for_retry"
        assert sandbox.world.dasha.numbers[number].inbound_agent is None
        sandbox.faults.remove(armed)
        if refused:
            sandbox.faults.add(Fault("status", method="PUT", status=400, count=None))
        tries.task = natively(DashaDeletePhoneNumberOperator(**{**given, **arguments}))
        outcome = tries()

        assert isinstance(
            outcome.error, PhonelinkRetryableException if refused else PhonelinkFailException
        ), outcome.log
        assert f"given back to agent {OTHER_AGENT}" in str(outcome.error)
        assert number in str(outcome.error)
        now = sandbox.world.dasha.numbers[number].inbound_agent
        assert now == (None if refused else OTHER_AGENT)


def test_mapped_tasks_in_another_order(sandbox, world, connections, in_the_gap):
    first = in_the_gap(move(), map_index=0)
    second = Tries(attach(number_id="pn_second"), connections)
    first.task, second.task = second.task, first.task
    outcomes = [tries(map_index=index) for index, tries in enumerate((first, second))]

    assert [outcome.state for outcome in outcomes] == ["success", "success"]
    assert [world.links()[number][0] for number in (MOVED, "pn_second")] == [AGENT, AGENT]
    assert primaries(world) == ("pn_third", "pn_own")
    assert {uri for outcome in outcomes for uri in told(outcome)} >= {f"numbers/{MOVED}", "numbers/pn_second"}
    assert writes(sandbox)
