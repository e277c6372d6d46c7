"""Reconcile: where routes come from."""

from __future__ import annotations

import json

import pytest
from airflow_harness.tasks import run_task
from integration.reconciling import links, phone, route
from integration.worlds import (
    AGENT,
)

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator


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
        from airflow.sdk import DAG

        (tmp_path / "routes.json").write_text(json.dumps([route(4, AGENT)]))
        task = DashaReconcileLinksOperator(task_id="reconcile", routes="routes.json")
        dag = DAG("relative", schedule=None)
        dag.fileloc = str(tmp_path / "dag.py")
        dag.add_task(task)
        outcome = run_task(task, connections=connections)
        assert outcome.state == "success", outcome.log

    def test_an_earlier_task(self, sandbox, dasha_ids, connections):
        from airflow.sdk import DAG, BaseOperator

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
