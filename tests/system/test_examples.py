"""The example DAGs, as they are, against the sandbox, by `dag.test()`; the tests of the minors deploy them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from airflow_harness.runs import load_dag

EXAMPLES = Path(__file__).parents[2] / "example_dags"
DAY = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
POOL = {"+15550100002", "+15550100003"}  # the registered numbers of the demo seed's campaign

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")


@pytest.fixture
def run_example(run_dag, phonelink_sandbox):
    def run(name, **options):
        dag = load_dag(EXAMPLES / f"{name}.py")
        run = run_dag(dag, connections=phonelink_sandbox.connections, **options)
        assert run.succeeded, run.explain()
        return run

    return run


def dasha_links(sandbox):
    """Phone number to the agent that answers it and the agents that call out with it."""
    dasha = sandbox.world.dasha
    return {dasha.get(id_).settings.phone_number: link for id_, link in dasha.links().items()}


def assert_onboarded(sandbox):
    links = dasha_links(sandbox)
    assert len(links) == 7  # five seeded, two new: none created twice
    assert links["+15550100011"] == ("agent-support", ["agent-support"])
    assert links["+15550100012"] == ("agent-sales", ["agent-sales"])


def assert_offboarded(sandbox):
    links = dasha_links(sandbox)
    assert "+15550100001" not in links
    assert links["+15550100002"] == (None, [])
    assert sandbox.world.callingbox.links()["pn_reception"] == (None, [])
    assert sandbox.world.callingbox.links()["pn_reminders"] == (None, ["agt_reminders"])


def caller_id(sandbox, agent="agent-campaign"):
    (number,) = [number for number, (_, outbound) in dasha_links(sandbox).items() if agent in outbound]
    return number


def test_every_example_is_known_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "onboarding",
        "campaign_rotation",
        "nightly_rotation",
        "offboarding",
        "routing_as_code",
        "onboarding_from_csv",
        "test_call",
        "holiday_line",
        "callingbox_routing",
        "blue_green",  # in test_routing_examples
        "registration_lost",  # in test_events
        "campaigns",  # in integration/test_campaigns
        "caller_id_changed",  # in test_events
    }


class TestInOneProcess:
    def test_onboarding(self, run_example, phonelink_sandbox):
        run_example("onboarding")
        assert_onboarded(phonelink_sandbox)

        phonelink_sandbox.journal.clear()
        run_example("onboarding")
        assert_onboarded(phonelink_sandbox)
        assert not [write for write in phonelink_sandbox.journal.writes() if write.method != "POST"]

    def test_campaign_rotation(self, run_example, phonelink_sandbox):
        found = []
        for day in range(4):
            run_example("campaign_rotation", logical_date=DAY + timedelta(days=day))
            found.append(caller_id(phonelink_sandbox))
        assert found[0] != found[1]
        assert found == [*found[:2], *found[:2]]
        assert set(found) == POOL

        run_example("campaign_rotation", logical_date=DAY)  # again, as after a clear: the same number
        assert caller_id(phonelink_sandbox) == found[0]

    def test_offboarding(self, run_example, phonelink_sandbox):
        run_example("offboarding")
        assert_offboarded(phonelink_sandbox)

        phonelink_sandbox.journal.clear()
        run_example("offboarding")
        assert_offboarded(phonelink_sandbox)
        assert not phonelink_sandbox.journal.writes()


class TestAtCallingBox:
    def test_holiday_line(self, run_example, phonelink_sandbox):
        box = phonelink_sandbox.world.callingbox
        box.add_agent("inbound", id="agt_night")
        run_example("holiday_line", conf={"agent_id": "agt_night"})
        assert box.links()["pn_spare"] == ("agt_night", [])

        run_example("holiday_line", conf={"agent_id": "agt_reception"})  # back again
        assert box.links()["pn_spare"] == ("agt_reception", [])
        assert box.attached("agt_night") == []

    def test_callingbox_routing(self, run_example, phonelink_sandbox):
        box = phonelink_sandbox.world.callingbox
        run_example("callingbox_routing")
        assert box.links() == {
            "pn_reception": ("agt_reception", []),
            "pn_reminders": (None, []),
            "pn_spare": (None, ["agt_reminders"]),
        }
        phonelink_sandbox.journal.clear()
        run_example("callingbox_routing")
        assert not phonelink_sandbox.journal.writes()


class TestATestCall:
    """The number is the agent's for as long as the call takes, and no longer."""

    def test_that_gets_through(self, run_example, phonelink_sandbox):
        run = run_example("test_call")
        assert run.xcom("call") == "+15550100003 is answered by agent-sales"
        assert dasha_links(phonelink_sandbox)["+15550100003"] == (None, [])
        assert [write.method for write in phonelink_sandbox.journal.writes()] == ["PUT", "DELETE"]

    def test_that_fails(self, run_dag, phonelink_sandbox):
        run = run_dag(
            load_dag(EXAMPLES / "test_call.py"),
            conf={"phone_number": "+15550100004"},  # its registration failed
            connections=phonelink_sandbox.connections,
        )
        assert run.state == "failed"
        assert run.task_state("call") == "failed"
        assert run.task_state("unlink") == "success"
        assert dasha_links(phonelink_sandbox)["+15550100004"] == (None, [])

    def test_of_a_number_that_somebody_has(self, run_dag, phonelink_sandbox):
        run = run_dag(
            load_dag(EXAMPLES / "test_call.py"),
            conf={"phone_number": "+15550100001"},
            connections=phonelink_sandbox.connections,
        )
        assert run.task_state("link") == "failed"
        assert run.task_state("call") == "upstream_failed"
        assert dasha_links(phonelink_sandbox)["+15550100001"] == ("agent-support", [])
        assert not phonelink_sandbox.journal.writes()
