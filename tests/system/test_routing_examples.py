"""The example DAGs about routes, as they are, against the sandbox."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS
from airflow_harness.runs import load_dag
from system.test_examples import EXAMPLES, dasha_links

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")

WISHED = {
    "+15550100001": ("agent-support", []),
    "+15550100002": (None, []),
    "+15550100003": (None, ["agent-campaign"]),
    "+15550100004": (None, []),
    "+15550100005": ("agent-sales", []),
}


@pytest.fixture
def run_example(run_dag, phonelink_sandbox):
    def run(name, **options):
        return run_dag(
            load_dag(EXAMPLES / f"{name}.py"), connections=phonelink_sandbox.connections, **options
        )

    return run


@pytest.fixture
def approved(monkeypatch):
    """Whoever is asked agrees, without being asked."""
    if AIRFLOW_V_3_1_PLUS:
        from airflow.providers.standard.operators.hitl import ApprovalOperator

        monkeypatch.setattr(
            ApprovalOperator, "execute", lambda self, context: {"chosen_options": ["Approve"]}
        )


def test_routing_as_code(run_example, phonelink_sandbox, approved):
    first = run_example("routing_as_code")
    assert first.succeeded, first.explain()
    assert dasha_links(phonelink_sandbox) == WISHED
    assert first.xcom("plan", key="drift") is True

    phonelink_sandbox.journal.clear()
    second = run_example("routing_as_code")
    assert second.succeeded, second.explain()
    assert second.task_state("apply") == "skipped"
    assert not phonelink_sandbox.journal.writes()


@pytest.mark.skipif(not AIRFLOW_V_3_1_PLUS, reason="this Airflow asks nobody")
def test_nothing_but_what_was_approved_is_changed(run_example, phonelink_sandbox, monkeypatch):
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    dasha = phonelink_sandbox.world.dasha
    [support] = [n.id for n in dasha.numbers.values() if n.settings.phone_number == "+15550100001"]

    def takes_a_number_away_meanwhile(self, context):
        dasha.unlink(support)
        return {"chosen_options": ["Approve"]}

    monkeypatch.setattr(ApprovalOperator, "execute", takes_a_number_away_meanwhile)
    run = run_example("routing_as_code")
    assert run.task_state("apply") == "failed"
    assert "Not approved: + link   +15550100001" in run.log("apply")
    assert len(phonelink_sandbox.journal.writes()) == 0


ANSWERED = {"params_input": {}, "responded_at": datetime.now(timezone.utc), "responded_by_user": None}


@pytest.mark.skipif(not AIRFLOW_V_3_1_PLUS, reason="this Airflow asks nobody")
@pytest.mark.parametrize(
    ("event", "succeeds", "apply"),
    [
        ({"chosen_options": ["Reject"], **ANSWERED}, True, "skipped"),
        ({"error": "nobody answered", "error_type": "timeout"}, False, "upstream_failed"),
    ],
    ids=["rejected", "expired"],
)
def test_nothing_is_changed_without_an_approval(
    run_example, phonelink_sandbox, monkeypatch, event, succeeds, apply
):
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    monkeypatch.setattr(
        ApprovalOperator, "execute", lambda self, context: self.execute_complete(context, event)
    )
    before = dasha_links(phonelink_sandbox)
    run = run_example("routing_as_code")
    assert (run.succeeded, run.task_state("apply")) == (succeeds, apply), run.explain()
    assert dasha_links(phonelink_sandbox) == before
    assert len(phonelink_sandbox.journal.writes()) == 0


class TestBlueGreen:
    """All numbers of blue go to green, or come back."""

    @pytest.fixture
    def before(self, phonelink_sandbox):
        dasha = phonelink_sandbox.world.dasha
        by_phone_number = {n.settings.phone_number: n.id for n in dasha.numbers.values()}
        dasha.link(by_phone_number["+15550100003"], "agent-support")
        dasha.link(by_phone_number["+15550100001"], "agent-support", "replaceOutbound")
        return dasha_links(phonelink_sandbox)

    def test_released(self, run_example, phonelink_sandbox, before):
        run = run_example("blue_green")
        assert run.succeeded, run.explain()
        assert run.task_state("bring_back") == "skipped"
        after = dasha_links(phonelink_sandbox)
        assert before["+15550100001"] == ("agent-support", ["agent-support"])
        green = ("agent-support-next", ["agent-support-next"])
        assert after == {**before, "+15550100001": green, "+15550100003": ("agent-support-next", [])}

    def test_brought_back(self, run_example, phonelink_sandbox, before):
        dasha = phonelink_sandbox.world.dasha
        [silent] = [n.id for n in dasha.numbers.values() if n.settings.phone_number == "+15550100003"]
        dasha.script(silent, [{"after": 0, "state": "Failed"}])
        run = run_example("blue_green")
        assert not run.succeeded
        assert (run.task_state("test_call"), run.task_state("bring_back")) == ("failed", "success"), (
            run.explain()
        )
        assert run.task_state("switch") == "success"
        assert dasha_links(phonelink_sandbox) == before
        assert phonelink_sandbox.journal.writes()


def test_onboarding_from_csv(run_example, phonelink_sandbox):
    phonelink_sandbox.set(dasha_registration_seconds=0.2)
    run = run_example("onboarding_from_csv")
    assert run.succeeded, run.explain()
    links = dasha_links(phonelink_sandbox)
    assert len(links) == 205
    assert [links[f"+1555010{1000 + i}"][0] for i in range(3)] == [
        "agent-support",
        "agent-sales",
        "agent-campaign",
    ]
    assert sum(agent is not None for agent, _ in links.values()) == 201
    assert run.xcom("onboard")["steps"] == {"linked": 200}
    [told] = run.xcom("tell_people")
    assert told.startswith("1.5550101E+10 (nothing done): number 7 (line 8), phone_number: ")

    phonelink_sandbox.journal.clear()
    again = run_example("onboarding_from_csv")
    assert again.succeeded, again.explain()
    assert not phonelink_sandbox.journal.writes()
