"""Reconcile: where routes come from."""

from __future__ import annotations

import json
import zipfile

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow_harness.tasks import run_task
from integration.reconciling import links, phone, route
from integration.worlds import (
    AGENT,
)

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator


def in_a_dag(file, routes):
    """The task, in a DAG that stands in a file."""
    task = DashaReconcileLinksOperator(task_id="reconcile", routes=routes)
    dag = DAG("in-a-file", schedule=None)
    dag.fileloc = str(file)
    dag.add_task(task)
    return task


EMPTIED = {
    "the header alone": "number,agent_id,mode\n",
    "the header alone, with semicolons": "number;agent_id;mode",
    "the header and empty rows": "\ufeffnumber,agent_id\r\n,\r\n  ,\r\n",
    "HTML": "<html><body>Please sign in</body></html>",
    "a row without a header": f"{phone(1)},agent-a,inbound\n",
    "another header": "nummer;agent\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", EMPTIED.values(), ids=EMPTIED)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_emptied_export_removes_nothing(sandbox, dasha_ids, reconcile, tmp_path, text, dry_run):
    (tmp_path / "r.csv").write_text(text)
    before = links(sandbox, dasha_ids)
    outcome = reconcile(tmp_path / "r.csv", prune=True, scope={"agents": [AGENT]}, dry_run=dry_run)
    assert isinstance(outcome.error, PhonelinkFailException), outcome.log
    assert len(sandbox.journal) == 0
    assert links(sandbox, dasha_ids) == before


@pytest.mark.parametrize(("name", "text"), [("r.json", "[]"), ("r.yaml", "routes: []")])
def test_none_is_said_by_an_empty_list(sandbox, dasha_ids, reconcile, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    for routes in (tmp_path / name, list[str]()):
        outcome = reconcile(routes, prune=True, scope={"agents": [AGENT]})
        assert outcome.state == "success", outcome.log
    assert links(sandbox, dasha_ids)[1] == (None, [])


def test_one_file_for_both_vendors(sandbox, dasha_ids, reconcile, box, tmp_path):
    (tmp_path / "r.csv").write_text(
        f"vendor;number;agent_id;x_team\nDasha;{phone(4)};{AGENT};night\ncallingbox;pn_free;{AGENT};day\n"
    )
    for operator, wished in (
        (DashaReconcileLinksOperator, "night"),
        (CallingBoxReconcileLinksOperator, "day"),
    ):
        outcome = reconcile(tmp_path / "r.csv", operator=operator)
        assert outcome.state == "success", outcome.log
        assert "1 of 2 routes are for other vendors and were left to them." in outcome.log
        [change] = outcome.value["changes"]
        assert change["extra"] == {"x_team": wished}
    assert links(sandbox, dasha_ids)[4] == (AGENT, [])
    assert sandbox.world.callingbox.links()["pn_free"] == (AGENT, [])


def test_declared_columns_are_in_the_result(sandbox, dasha_ids, reconcile):
    item = {**route(4, AGENT), "ticket": "T-1"}
    assert "'ticket' is not known" in str(reconcile([item]).error)
    outcome = reconcile([item], extra_columns=["ticket"], dry_run=True)
    assert [change["extra"] for change in outcome.value["changes"]] == [{"ticket": "T-1"}]


class TestWhereRoutesComeFrom:
    FILES = {  # noqa: RUF012 - read only
        "routes.yaml": f"# night\n- number: {phone(4)}\n  agent_id: {AGENT}\n  comment: to be seen\n",
        "routes.yml": f"routes:\n- {{phone_number: '{phone(4)}', agent_id: {AGENT}, mode: inbound}}\n",
        "routes.json": json.dumps([route(4, AGENT)]),
        "routes.csv": f"\ufeffnumber,agent_id,mode,comment\r\n{phone(4)},{AGENT},,\r\n",
    }

    @pytest.mark.parametrize("name", FILES)
    def test_files(self, sandbox, dasha_ids, reconcile, tmp_path, name):
        (tmp_path / name).write_text(self.FILES[name], encoding="utf-8")
        for path in (tmp_path / name, str(tmp_path / name)):
            assert reconcile(path).state == "success"
        assert links(sandbox, dasha_ids)[4] == (AGENT, [])

    def test_the_path_is_templated_and_the_file_is_not(self, sandbox, dasha_ids, reconcile, tmp_path):
        text = f"- number: {phone(4)}\n  agent_id: {AGENT}\n  comment: '{{{{ nonsense(1) }}}}'\n"
        (tmp_path / "night.yaml").write_text(text)
        outcome = reconcile(
            f"{tmp_path}/{{{{ dag_run.conf['file'] }}}}.yaml", run_options={"conf": {"file": "night"}}
        )
        assert outcome.state == "success", outcome.log
        assert outcome.rendered["routes"] == f"{tmp_path}/night.yaml"

    def test_a_relative_path_begins_at_the_dag_file(self, sandbox, dasha_ids, connections, tmp_path):
        (tmp_path / "routes.json").write_text(json.dumps([route(4, AGENT)]))
        task = in_a_dag(tmp_path / "dag.py", "routes.json")
        outcome = run_task(task, connections=connections)
        assert outcome.state == "success", outcome.log

    def test_beside_a_dag_in_a_zip_file(self, sandbox, dasha_ids, connections, tmp_path):
        with zipfile.ZipFile(tmp_path / "dags.zip", "w") as zipped:
            zipped.writestr("routes.yaml", f"- number: {phone(4)}\n  agent_id: {AGENT}\n")
        outcome = run_task(in_a_dag(tmp_path / "dags.zip/dag.py", "routes.yaml"), connections=connections)
        assert outcome.state == "success", outcome.log
        assert links(sandbox, dasha_ids)[4] == (AGENT, [])

    @pytest.mark.parametrize(
        "place", ["../secrets.yaml", "{folder}/secrets.yaml", "file://{folder}/secrets.yaml"]
    )
    def test_a_template_does_not_lead_out_of_the_folder(
        self, sandbox, dasha_ids, connections, tmp_path, place
    ):
        (tmp_path / "secrets.yaml").write_text("password: hunter2\n")
        task = in_a_dag(tmp_path / "dags/dag.py", "{{ dag_run.conf['file'] }}")
        conf = {"file": place.format(folder=tmp_path)}
        outcome = run_task(task, connections=connections, conf=conf)
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert "outside of the folder" in str(outcome.error)
        assert "hunter2" not in outcome.log
        assert len(sandbox.journal) == 0

    def test_an_earlier_task_does_not_lead_out_of_the_folder(self, sandbox, dasha_ids, connections, tmp_path):
        (tmp_path / "r.yaml").write_text(f"- number: {phone(4)}\n  agent_id: {AGENT}\n")
        with DAG("in-a-file", schedule=None) as dag:
            dag.fileloc = str(tmp_path / "dags/dag.py")
            task = DashaReconcileLinksOperator(task_id="t", routes=BaseOperator(task_id="earlier").output)  # type: ignore[arg-type]
        outcome = run_task(task, connections=connections, xcoms={"earlier": str(tmp_path / "r.yaml")})
        assert "outside of the folder" in str(outcome.error)

    def test_an_earlier_task(self, sandbox, dasha_ids, connections):
        with DAG("xcoms", schedule=None):
            earlier = BaseOperator(task_id="earlier")
            task = DashaReconcileLinksOperator(task_id="reconcile", routes=earlier.output)  # type: ignore[arg-type]
        outcome = run_task(task, connections=connections, xcoms={"earlier": [route(4, AGENT)]})
        assert outcome.state == "success", outcome.log
        assert links(sandbox, dasha_ids)[4] == (AGENT, [])

    def test_a_template_that_writes_the_list_out(self, sandbox, dasha_ids, reconcile):
        outcome = reconcile(
            "{{ ti.xcom_pull('earlier') }}", run_options={"xcoms": {"earlier": [route(4, AGENT)]}}
        )
        assert outcome.state == "success", outcome.log

    @pytest.mark.parametrize(
        ("name", "text", "word"),
        [
            ("r.yaml", "", "write []"),
            ("r.yaml", "a: [", "cannot be read"),
            ("r.yaml", "!!python/object/apply:os.system ['true']", "is str, not a mapping"),
            ("r.json", "{", "cannot be read"),
            ("r.json", '{"routes": 1}', "no list"),
            ("r.csv", "", "columns"),
            ("r.csv", "number,number\n1,2\n", "both called number"),
            ("r.csv", "number,agent_id\n1,2,3\n", "more cells"),
            ("r.csv", "nummer,agent_id\n1,2\n", "nummer"),
            ("r.csv", 'number,agent_id\n"1,2\n', "cannot be read"),
        ],
    )
    def test_files_that_are_none(self, sandbox, dasha_ids, reconcile, tmp_path, name, text, word):
        (tmp_path / name).write_text(text)
        outcome = reconcile(str(tmp_path / name))
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert word in str(outcome.error)
        assert len(sandbox.journal) == 0
