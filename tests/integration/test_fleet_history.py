"""Who changed what: the page tells what tasks of real runs have done, and names only DAGs that one may see."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from airflow import __version__ as airflow_version
from airflow.sdk import DAG
from integration.fleet_page import Page, server_page
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.fleet import history, readings
from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import Sandbox, seeds

pytestmark = pytest.mark.skipif(airflow_version.startswith("3.0."), reason="3.0 has no views of plugins")
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
page = server_page


def test_what_tasks_did_is_told_with_when_by_whom_and_from_what_to_what(
    page: Page, phonelink_sandbox, run_dag, monkeypatch
) -> None:
    dasha = phonelink_sandbox.world.dasha
    dasha.add_agent(AGENT, "Support")
    pool = [
        dasha.add_number(
            f"+1555010{index}", CREDENTIALS, steps=seeds.REGISTERED, outbound=[AGENT] * (index == 0)
        )
        for index in range(2)
    ]
    answered = dasha.add_number("+15550200", CREDENTIALS, inbound=OTHER_AGENT, steps=seeds.REGISTERED)
    given_back = dasha.add_number("+15550201", CREDENTIALS, inbound=AGENT, steps=seeds.REGISTERED)
    with DAG("night", schedule=None, start_date=START) as dag:
        rotate = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, pool=pool)
        link = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=answered, agent_id=AGENT)
        again = DashaLinkPhoneNumberOperator(task_id="again", phone_number_id=answered, agent_id=AGENT)
        unlink = DashaUnlinkPhoneNumberOperator(task_id="unlink", phone_number_id=given_back, agent_id=AGENT)
        rotate >> link >> again >> unlink
    run = run_dag(dag, connections=phonelink_sandbox.connections)
    assert run.succeeded, run.explain()

    found = {row["phone_number"]: row["last_change"] for row in page.get("/numbers.json").json()["numbers"]}
    told = {
        number: (one["origin"]["task_id"], one["previous_agent_id"], one["agent_id"])
        for number, one in found.items()
    }
    assert told == {
        "+15550100": ("rotate", None, AGENT),
        "+15550101": ("rotate", None, AGENT),
        "+15550200": ("link", OTHER_AGENT, AGENT),  # the second time there was nothing to change
        "+15550201": ("unlink", AGENT, None),
    }
    assert found["+15550100"]["previous_number_id"] == pool[0].lower()
    assert {one["origin"]["run_id"] for one in found.values()} == {run.run_id}

    html = page.get(f"/agents/dasha_default/{AGENT}").text
    assert "caller ID of" in html
    assert "in place of" in html
    assert "/dags/night/runs/" in html
    assert html.count("<rect") >= 4
    assert "night / rotate" in page.get(f"/numbers/dasha_default/{pool[1]}").text

    monkeypatch.setattr(type(page.manager), "get_authorized_dag_ids", lambda *_, **__: set())
    for path in ("/numbers", "/numbers.json", f"/agents/dasha_default/{AGENT}"):
        assert "night" not in page.get(path).text


def test_who_may_not_read_a_connection_learns_nothing_of_what_was_changed_over_it(
    page: Page, phonelink_sandbox, run_dag, monkeypatch
) -> None:
    """Both accounts have an agent of that id, as staging and production have."""
    agent = "agent-of-both"
    mine = phonelink_sandbox.world.dasha.add_number("+15550400", CREDENTIALS, steps=seeds.REGISTERED)
    with Sandbox() as elsewhere:
        other = elsewhere.world.dasha.add_number("+49301234567", CREDENTIALS, steps=seeds.REGISTERED)
        secret = elsewhere.connections["dasha_default"]
        monkeypatch.setenv("AIRFLOW_CONN_DASHA_SECRET", json.dumps(secret))
        with DAG("both_accounts", schedule=None, start_date=START) as dag:
            for conn_id, number in (("dasha_default", mine), ("dasha_secret", other)):
                DashaLinkPhoneNumberOperator(
                    task_id=conn_id, phone_number_id=number, agent_id=agent, dasha_conn_id=conn_id
                )
        run = run_dag(dag, connections={**phonelink_sandbox.connections, "dasha_secret": secret})
        assert run.succeeded, run.explain()

        agents = {conn_id: f"/agents/{conn_id}/{agent}" for conn_id in ("dasha_default", "dasha_secret")}
        for conn_id, path in agents.items():
            html = page.get(path).text
            assert [number in html for number in ("+15550400", "+49301234567")] == [
                conn_id == "dasha_default",
                conn_id == "dasha_secret",
            ]
            assert "somebody else" not in html

        allowed = page.manager.is_authorized_connection
        monkeypatch.setattr(
            page.manager,
            "is_authorized_connection",
            lambda *, details=None, **asked: (
                allowed(details=details, **asked) and getattr(details, "conn_id", None) != "dasha_secret"
            ),
        )
        assert page.get(agents["dasha_secret"]).status_code == 404
        for path in ("/numbers", "/numbers.json", agents["dasha_default"], f"/numbers/dasha_default/{mine}"):
            answer = page.get(path)
            assert answer.status_code == 200
            assert not [secret for secret in ("49301234567", other, "dasha_secret") if secret in answer.text]


def test_what_a_task_has_just_done_is_not_taken_for_somebody_elses_doing(
    page: Page, phonelink_sandbox, run_dag, monkeypatch
) -> None:
    """The reading of the vendor is older than the change."""
    monkeypatch.setattr(readings, "FRESH_FOR", float("inf"))
    monkeypatch.setattr(history, "FRESH_FOR", 0)
    agent = "agent-of-a-moment"
    dasha = phonelink_sandbox.world.dasha
    pool = [dasha.add_number(f"+1555050{index}", CREDENTIALS, steps=seeds.REGISTERED) for index in range(2)]
    dasha.link(pool[0], agent, "replaceOutbound")
    assert len(page.get("/numbers.json", agent=agent).json()["numbers"]) == 1
    with DAG("just_now", schedule=None, start_date=START) as dag:
        DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=agent, pool=pool)
    run = run_dag(dag, connections=phonelink_sandbox.connections)
    assert run.succeeded, run.explain()
    for path in (f"agents/dasha_default/{agent}", *(f"numbers/dasha_default/{number}" for number in pool)):
        html = page.get(f"/{path}").text
        assert "just_now / rotate" in html
        assert "somebody else" not in html


def test_where_the_links_are_not_as_routes_want_is_shown(
    page: Page, phonelink_sandbox, run_dag, monkeypatch
) -> None:
    dasha = phonelink_sandbox.world.dasha
    right = dasha.add_number("+15550300", CREDENTIALS, inbound=AGENT, steps=seeds.REGISTERED)
    wrong = dasha.add_number("+15550301", CREDENTIALS, inbound=OTHER_AGENT, steps=seeds.REGISTERED)
    dasha.add_number("+15550302", CREDENTIALS, steps=seeds.REGISTERED)
    routes = [{"number": number, "agent_id": AGENT} for number in (right, wrong)]
    for dry_run, drift in ((True, ["+15550301"]), (False, [])):
        with DAG("audit", schedule=None, start_date=START) as dag:
            DashaReconcileLinksOperator(task_id="audit", routes=routes, dry_run=dry_run)
        run = run_dag(dag, connections=phonelink_sandbox.connections)
        assert run.succeeded, run.explain()
        fresh = Page()
        found = {row["phone_number"]: row for row in fresh.get("/numbers.json").json()["numbers"]}
        assert {number: row["as_routes_want"] for number, row in found.items()} == {
            "+15550300": True,
            "+15550301": not drift,
            "+15550302": None,
        }
        assert [
            row["phone_number"] for row in fresh.get("/numbers.json", drift="1").json()["numbers"]
        ] == drift
        assert ("should be answered by" in fresh.get("/numbers").text) == bool(drift)
        fresh.close()

    dasha.link(wrong, OTHER_AGENT)
    _remove_file_of("audit")
    found = page.get("/numbers.json").json()["numbers"]
    assert {row["as_routes_want"] for row in found if row["id"] in (right, wrong)} == {None}


def _remove_file_of(dag_id: str) -> None:
    """Note what Airflow notes of a DAG whose file is no longer there."""
    from airflow.models import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_stale=True))
