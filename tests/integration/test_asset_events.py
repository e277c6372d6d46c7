"""Asset events: each change of a link is told, at least once, for every number and agent that it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from airflow import __version__ as airflow_version
from airflow.sdk import DAG, Asset
from airflow_harness import tasks
from airflow_harness.tasks import run_task
from integration.reconciling import WISHED, route
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT
from packaging.version import Version

from airflow_provider_phonelink.assets import agent_asset, agent_uri, number_asset, number_uri
from airflow_provider_phonelink.operators import events
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault, seeds

BOX = "callingbox"


def told(outcome):
    """What a task told: asset to what changed, of which each asset has one."""
    assert outcome.state == "success", outcome.log
    recorded = outcome.asset_events
    found = {event["dest_asset_key"]["uri"]: event["extra"] for event in recorded}
    assert len(found) == len(recorded)
    assert all("source_alias_name" not in event for event in recorded)  # see events._undeclared
    assert all(event["dest_asset_key"]["name"] == event["dest_asset_key"]["uri"] for event in recorded)
    return found


def link(number, **arguments):
    return DashaLinkPhoneNumberOperator(
        task_id="link", **{"phone_number_id": number, "agent_id": AGENT, **arguments}
    )


def unlink(number, **arguments):
    return DashaUnlinkPhoneNumberOperator(
        task_id="unlink", **{"phone_number_id": number, "agent_id": AGENT, **arguments}
    )


STATE_STORE = Version(airflow_version) >= Version("3.3")
OLDEST = Version(airflow_version) < Version("3.1")


class TestLinks:
    def test_a_number_that_changes_hands(self, sandbox, number, connections):
        sandbox.world.dasha.link(number, OTHER_AGENT)
        found = told(run_task(link(number), connections=connections))

        assert set(found) == {
            number_uri(number),
            agent_uri(AGENT, "inbound"),
            agent_uri(OTHER_AGENT, "inbound"),
        }
        assert list(found.values()) == 3 * [
            {
                "vendor": "dasha",
                "conn_id": "dasha_default",
                "number_id": number,
                "phone_number": "+15550100",
                "mode": "inbound",
                "agent_id": AGENT,
                "previous_agent_id": OTHER_AGENT,
                "previous_number_id": None,
                "changed": True,
                "changes": 1,
            }
        ]

    def test_a_caller_id(self, sandbox, number, connections):
        found = told(run_task(link(number, mode="replaceOutbound"), connections=connections))

        assert set(found) == {number_uri(number), agent_uri(AGENT, "outbound")}

    def test_nothing_changed_nothing_told(self, sandbox, number, connections):
        sandbox.world.dasha.link(number, AGENT)

        assert told(run_task(link(number), connections=connections)) == {}
        assert told(run_task(unlink(number, agent_id=OTHER_AGENT), connections=connections)) == {}

    def test_what_an_earlier_try_changed_and_could_not_tell(self, sandbox, number, connections):
        sandbox.faults.add(Fault("status", status=503, method="GET", nth=2, count=None))
        sandbox.world.dasha.link(number, OTHER_AGENT)
        kept: dict[str, Any] = {"stored": {}, "variables": {}}
        first = run_task(link(number, retries=1), connections=connections, **kept)
        assert (first.state, first.asset_events) == ("up_for_retry", [])
        sandbox.faults.clear()
        found = told(run_task(link(number), connections=connections, try_number=2, **kept))

        assert set(found) == {
            number_uri(number),
            agent_uri(AGENT, "inbound"),
            agent_uri(OTHER_AGENT, "inbound"),
        }
        told_of = {(extra["changed"], extra["previous_agent_id"]) for extra in found.values()}
        assert told_of == {(True, OTHER_AGENT)}
        assert kept["variables"] == {}

        again = told(run_task(link(number), connections=connections, try_number=3, **kept))
        # Without a store of a task's state, nothing is left by a task that has succeeded.
        assert set(again) == (set(found) if STATE_STORE else set())
        assert not any(extra["changed"] for extra in again.values())

    @pytest.mark.parametrize(("mode", "side"), [("inbound", "inbound"), ("replaceOutbound", "outbound")])
    def test_a_number_that_is_taken_away(self, sandbox, number, connections, mode, side):
        sandbox.world.dasha.link(number, AGENT, mode)
        found = told(run_task(unlink(number, mode=mode), connections=connections))

        assert set(found) == {number_uri(number), agent_uri(AGENT, side)}
        assert found[number_uri(number)]["agent_id"] is None
        assert found[number_uri(number)]["previous_agent_id"] == AGENT

    def test_an_outlet_of_the_task_gets_what_changed(self, sandbox, number, connections):
        mine = agent_asset(AGENT, "inbound")
        outcome = run_task(link(number, outlets=[mine, Asset("elsewhere")]), connections=connections)
        by_uri = {event["dest_asset_key"]["uri"]: event for event in outcome.asset_events}

        assert outcome.state == "success", outcome.log
        assert set(by_uri) == {mine.uri, number_uri(number)}
        assert by_uri[mine.uri]["extra"]["agent_id"] == AGENT

    @pytest.mark.skipif(
        OLDEST, reason="Airflow 3.0 fails a task that tells of an asset that it does not know"
    )
    def test_airflow_is_asked_for_no_asset(self, sandbox, number, connections, monkeypatch):
        """It logs an error for each one that no DAG names."""
        monkeypatch.setattr(tasks._Server, "_assets", lambda *_: pytest.fail("asked"))
        outcome = run_task(link(number), connections=connections)

        assert set(told(outcome)) == {number_uri(number), agent_uri(AGENT, "inbound")}
        assert "error" not in outcome.log.lower()

    def test_an_agent_whose_id_is_too_long_for_an_asset_has_no_event(self, sandbox, number, connections):
        sandbox.world.dasha.link(number, "9" * 1490, "inbound")
        outcome = run_task(link(number, if_linked="replace"), connections=connections)

        assert set(told(outcome)) == {number_uri(number), agent_uri(AGENT, "inbound")}
        assert f"There is no event for the asset {agent_uri('9' * 400, 'inbound')[:400]}" in outcome.log

    def test_can_be_switched_off(self, sandbox, number, connections, monkeypatch):
        monkeypatch.setenv("AIRFLOW__PHONELINK__ASSET_EVENTS", "False")

        assert told(run_task(link(number), connections=connections)) == {}
        assert sandbox.world.dasha.links()[number] == (AGENT, [])


def test_a_rotation(sandbox, connections):
    pool = [
        sandbox.world.dasha.add_number(f"+1555020{i}", CREDENTIALS, steps=seeds.REGISTERED) for i in range(2)
    ]
    sandbox.world.dasha.link(pool[0], AGENT, "replaceOutbound")
    with DAG("rotation", schedule=None):
        task = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, pool=pool)
    stored: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    found = told(run_task(task, connections=connections, stored=stored, variables=variables))

    assert set(found) == {number_uri(pool[0]), number_uri(pool[1]), agent_uri(AGENT, "outbound")}
    assert found[agent_uri(AGENT, "outbound")]["number_id"] == pool[1]
    assert found[agent_uri(AGENT, "outbound")]["previous_number_id"] == pool[0]

    again = run_task(task, connections=connections, stored=stored, variables=variables, try_number=2)
    assert {extra["changed"] for extra in told(again).values()} == {False}
    assert set(told(again)) == set(found)


class TestCallingBox:
    @pytest.fixture(autouse=True)
    def agents(self, sandbox):
        box = sandbox.world.callingbox
        for id_ in ("agt_one", "agt_two"):
            box.add_agent("inbound", id=id_)
        box.add_agent("outbound", id="agt_out")
        box.add_number("+15550200", id="pn_1", agents=["agt_one"])

    def attach(self, agent_id, **arguments):
        return CallingBoxAttachNumberOperator(
            task_id="attach", agent_id=agent_id, number_id="pn_1", **arguments
        )

    def test_a_move(self, connections):
        found = told(run_task(self.attach("agt_two", if_attached="move"), connections=connections))

        assert set(found) == {
            number_uri("pn_1", BOX),
            agent_uri("agt_one", "inbound", BOX),
            agent_uri("agt_two", "inbound", BOX),
        }
        assert found[number_uri("pn_1", BOX)]["previous_agent_id"] == "agt_one"

    def test_an_outbound_agent_takes_it_from_nobody(self, connections):
        found = told(run_task(self.attach("agt_out"), connections=connections))

        assert set(found) == {number_uri("pn_1", BOX), agent_uri("agt_out", "outbound", BOX)}
        assert found[number_uri("pn_1", BOX)]["previous_agent_id"] is None

    def test_a_detach(self, connections):
        task = CallingBoxDetachNumberOperator(task_id="detach", agent_id="agt_one", number_id="pn_1")
        found = told(run_task(task, connections=connections))

        assert set(found) == {number_uri("pn_1", BOX), agent_uri("agt_one", "inbound", BOX)}
        assert found[number_uri("pn_1", BOX)]["agent_id"] is None


class TestReconcile:
    def test_each_change_for_each_that_it_concerns(self, dasha_ids, reconcile):
        outcome = reconcile(WISHED)
        changes = outcome.value["changes"]
        wished = set()
        for change in changes:
            side = "inbound" if change["mode"] == "inbound" else "outbound"
            wished |= {number_uri(change["number_id"]), agent_uri(change["agent_id"], side)}
            if change["previous_agent_id"]:
                wished.add(agent_uri(change["previous_agent_id"], side))
            if change["previous_number_id"]:
                wished.add(number_uri(change["previous_number_id"]))

        assert outcome.state == "success", outcome.log
        assert len(changes) == 3
        assert {event["dest_asset_key"]["uri"] for event in outcome.asset_events} == wished

    def test_what_is_in_order_is_not_told(self, dasha_ids, reconcile):
        reconcile(WISHED)

        assert told(reconcile(WISHED)) == {}
        assert told(reconcile(WISHED, run_options={"try_number": 2})) == {}

    def test_a_dry_run_tells_nothing(self, dasha_ids, reconcile):
        assert told(reconcile(WISHED, dry_run=True)) == {}

    def test_what_a_try_that_failed_did_is_told_by_the_one_that_succeeds(self, sandbox, dasha_ids, reconcile):
        kept: dict[str, Any] = {"stored": {}, "variables": {}}
        sandbox.faults.add(Fault("status", status=503, method="PUT", path=dasha_ids[4], count=None))
        first = reconcile([route(1, OTHER_AGENT), route(4, AGENT)], run_options=kept)
        assert (first.state, first.asset_events) == ("up_for_retry", [])

        sandbox.faults.clear()
        second = reconcile([route(1, OTHER_AGENT), route(4, AGENT)], run_options={**kept, "try_number": 2})
        found = {event["dest_asset_key"]["uri"]: event["extra"] for event in second.asset_events}
        changed = {(number, found[number_uri(number)]["changed"]) for number in (dasha_ids[1], dasha_ids[4])}
        assert second.state == "success", second.log
        assert changed == {(dasha_ids[1], True), (dasha_ids[4], True)}

        third = reconcile([route(1, OTHER_AGENT), route(4, AGENT)], run_options={**kept, "try_number": 3})
        assert told(third) == {}

    def test_an_asset_of_which_several_things_changed_has_one_event(self, sandbox, reconcile):
        add = sandbox.world.dasha.add_number
        numbers = [add(f"+15550300{i:02d}", CREDENTIALS, inbound=OTHER_AGENT) for i in range(6)]
        outcome = reconcile([{"number": id_, "agent_id": f"agent-{i % 2}"} for i, id_ in enumerate(numbers)])
        found = told(outcome)

        agents = ["agent-0", "agent-1", OTHER_AGENT]
        assert set(found) == {agent_uri(agent, "inbound") for agent in agents} | set(map(number_uri, numbers))
        assert found[agent_uri("agent-0", "inbound")] == {
            "vendor": "dasha",
            "conn_id": "dasha_default",
            "number_id": None,
            "phone_number": None,
            "mode": "inbound",
            "agent_id": "agent-0",
            "previous_agent_id": OTHER_AGENT,
            "previous_number_id": None,
            "changed": True,
            "changes": 3,
        }
        assert found[agent_uri(OTHER_AGENT, "inbound")]["agent_id"] is None

    def test_no_more_events_than_airflow_can_record_at_once(self, sandbox, reconcile, monkeypatch):
        monkeypatch.setattr(events, "MOST_EVENTS", 2)
        sandbox.world.dasha.add_number("+1555030001", CREDENTIALS, inbound=OTHER_AGENT)
        outcome = reconcile([{"number": "+1555030001", "agent_id": AGENT}])
        recorded = {event["dest_asset_key"]["uri"] for event in outcome.asset_events if event["extra"]}

        assert recorded == {agent_uri(AGENT, "inbound"), agent_uri(OTHER_AGENT, "inbound")}
        assert "3 assets changed; only 2 have an event" in outcome.log

    def test_an_outlet_of_the_task_comes_first(self, sandbox, reconcile, monkeypatch):
        monkeypatch.setattr(events, "MOST_EVENTS", 1)
        mine = number_asset(sandbox.world.dasha.add_number("+1555030001", CREDENTIALS, inbound=OTHER_AGENT))
        outcome = reconcile([{"number": "+1555030001", "agent_id": AGENT}], outlets=[mine])

        assert {event["dest_asset_key"]["uri"] for event in outcome.asset_events} == {mine.uri}


def test_airflow_records_those_that_some_dag_names(sandbox, number, connections, run_dag):
    """In Airflow's database, which has no others afterwards."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from airflow_harness.runs import register
    from sqlalchemy import select

    unknown = "agent-of-which-no-dag-speaks"
    sandbox.world.dasha.link(number, unknown)
    register(DAG("waits_for_a_number", schedule=[agent_asset(AGENT, "inbound")]))
    with DAG("tells_of_a_link", schedule=None) as dag:
        link(number, outlets=[number_asset(number)])
    run = run_dag(dag, connections=connections)
    assert run.succeeded, run.explain()
    assert ("Asset not found" in "".join(map(str, run.logs.values()))) is OLDEST

    with create_session() as session:
        rows = session.execute(
            select(AssetModel.uri, AssetEvent.extra)
            .join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
            .where(AssetEvent.source_dag_id == "tells_of_a_link")
        ).all()
        known = set(session.scalars(select(AssetModel.uri)))
    assert {uri for uri, _ in rows} == {number_uri(number), agent_uri(AGENT, "inbound")}
    assert {extra["agent_id"] for _, extra in rows} == {AGENT}
    assert agent_uri(unknown, "inbound") not in known
