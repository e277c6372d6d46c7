"""An approval binds a plan: what was approved is done, and nothing else."""

from __future__ import annotations

from functools import partial

import pytest
from integration.reconciling import AFTER, BEFORE, WISHED, links, phone, route
from integration.worlds import AGENT, OTHER_AGENT, THIRD_AGENT, writes

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.sandbox import Fault


@pytest.fixture
def plan(reconcile):
    """The result of a dry run, as it is in XCom."""

    def plan(routes, **arguments):
        outcome = reconcile(routes, dry_run=True, **arguments)
        assert outcome.state == "success", outcome.log
        assert outcome.value["applied"] is False
        return outcome.value

    return plan


def test_what_was_approved_is_done(sandbox, dasha_ids, reconcile, plan):
    outcome = reconcile(WISHED, approved_plan=plan(WISHED))
    assert outcome.state == "success", outcome.log
    assert links(sandbox, dasha_ids) == AFTER
    assert (outcome.value["applied"], outcome.value["done"]) == (True, 3)

    sandbox.journal.clear()
    in_sync = reconcile(WISHED, approved_plan=plan(WISHED))
    assert (in_sync.state, in_sync.value["applied"], writes(sandbox)) == ("success", True, [])


def test_what_became_true_meanwhile_is_no_change(sandbox, dasha_ids, reconcile, plan):
    approved = plan(WISHED)
    sandbox.world.dasha.link(dasha_ids[4], AGENT)
    outcome = reconcile(WISHED, approved_plan=approved)
    assert outcome.state == "success", outcome.log
    assert (outcome.value["done"], links(sandbox, dasha_ids)) == (2, AFTER)


def test_another_plan_of_the_same_size_is_refused(sandbox, dasha_ids, reconcile, plan):
    """Approved was to move a number; then the file changes, so that another one would be unlinked."""
    arguments = {"prune": True, "scope": {"agents": [AGENT, OTHER_AGENT], "modes": ["inbound"]}}
    approved = plan([route(1, OTHER_AGENT), route(2, OTHER_AGENT)], **arguments)
    outcome = reconcile([route(1, AGENT)], approved_plan=approved, max_changes=1, **arguments)

    assert (len(approved["changes"]), outcome.state) == (1, "failed")
    assert isinstance(outcome.error, PhonelinkFailException)
    unlinked = f"- unlink {phone(2)} (id {dasha_ids[2]}) inbound from agent {OTHER_AGENT}"
    assert f"[{unlinked}: agent {OTHER_AGENT} has it now; no change of it was needed then]" in str(
        outcome.error
    )
    assert f"Not approved: {unlinked}" in outcome.log
    assert (writes(sandbox), links(sandbox, dasha_ids)) == ([], BEFORE)


def test_a_number_that_somebody_moved_meanwhile_is_left_there(sandbox, dasha_ids, reconcile, plan):
    approved = plan(WISHED)
    sandbox.world.dasha.link(dasha_ids[1], THIRD_AGENT)
    outcome = reconcile(WISHED, approved_plan=approved)

    assert isinstance(outcome.error, PhonelinkFailException)
    assert (
        f"from agent {THIRD_AGENT} to agent {OTHER_AGENT}: agent {THIRD_AGENT} has it now; approved was "
        in str(outcome.error)
    )
    assert writes(sandbox) == []
    dry = reconcile(WISHED, approved_plan=approved, dry_run=True)
    assert isinstance(dry.error, PhonelinkFailException)


def test_so_is_one_that_somebody_moves_between_the_plan_and_the_write(sandbox, dasha_ids, reconcile, plan):
    wished = [route(1, OTHER_AGENT)]
    approved = plan(wished)
    sandbox.faults.meanwhile(
        lambda world: world.dasha.link(dasha_ids[1], THIRD_AGENT), method="GET", path=f"{dasha_ids[1]}$"
    )
    first = reconcile(wished, approved_plan=approved)
    second = reconcile(wished, approved_plan=approved, run_options={"try_number": 2})

    assert (first.state, second.state) == ("up_for_retry", "failed")
    assert "may be taken from that agent only" in str(first.error)
    assert (writes(sandbox), links(sandbox, dasha_ids)[1]) == ([], (THIRD_AGENT, []))


def test_a_retry_after_a_part_was_applied(sandbox, dasha_ids, reconcile, plan):
    approved = plan(WISHED)
    sandbox.faults.add(Fault("status", status=503, method="PUT", path=dasha_ids[1], count=None))
    first = reconcile(WISHED, approved_plan=approved)
    assert (first.state, first.xcoms["return_value"]["applied"]) == ("up_for_retry", True)
    sandbox.faults.clear()
    second = reconcile(WISHED, approved_plan=approved, run_options={"try_number": 2})
    assert second.state == "success", second.log
    assert links(sandbox, dasha_ids) == AFTER


def test_nothing_is_applied_where_every_change_failed(sandbox, dasha_ids, reconcile):
    sandbox.faults.add(Fault("status", status=503, method="PUT", count=None))
    outcome = reconcile(WISHED)
    assert (outcome.state, outcome.xcoms["return_value"]["applied"]) == ("up_for_retry", False)


@pytest.mark.parametrize("in_sync", [True, False])
def test_a_dry_run_applies_nothing(reconcile, dasha_ids, in_sync):
    assert reconcile([route(1, AGENT if in_sync else OTHER_AGENT)], dry_run=True).value["applied"] is False


def test_a_number_that_is_without_an_agent_by_then_still_goes_where_it_was_to_go(
    sandbox, box, connections, reconcile
):
    """At CallingBox a try may die between taking a number from an agent and giving it to another one."""
    box.attach(AGENT, "pn_free")
    wished = [route("pn_free", OTHER_AGENT)]
    run = partial(reconcile, wished, operator=CallingBoxReconcileLinksOperator)
    approved = run(dry_run=True).value
    box.detach(AGENT, "pn_free")
    outcome = run(approved_plan=approved)
    assert outcome.state == "success", outcome.log
    assert box.links()["pn_free"] == (OTHER_AGENT, [])

    box.detach(OTHER_AGENT, "pn_free")
    box.add_agent("inbound", id=THIRD_AGENT)
    box.attach(THIRD_AGENT, "pn_free")
    refused = run(approved_plan=approved)
    assert isinstance(refused.error, PhonelinkFailException)
    assert box.links()["pn_free"] == (THIRD_AGENT, [])
