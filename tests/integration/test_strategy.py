"""A rotation's strategy: an import path is the DAG author's to give, not that of whoever triggers a run."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from types import ModuleType

import pytest
from airflow.sdk import DAG, XComArg, task_group
from airflow_harness.tasks import run_task
from integration.worlds import CREDENTIALS

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.sandbox import seeds

PATH = "strategies_of_ours.the_last_one"
WHY = "comes from a template or from mapped values"


@pytest.fixture
def pool(sandbox) -> list[str]:
    add = sandbox.world.dasha.add_number
    return [add(f"+1555020{i}", CREDENTIALS, steps=seeds.REGISTERED) for i in range(3)]


@pytest.fixture(autouse=True)
def module(monkeypatch) -> ModuleType:
    module = ModuleType("strategies_of_ours")
    module.the_last_one = lambda turn: turn.candidates[-1].number_id  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def dag() -> DAG:
    return DAG("strategies", schedule=None, start_date=datetime(2026, 3, 1, tzinfo=timezone.utc))


def rotate(pool, *, connections, dag, conf=None, xcoms=None, **arguments):
    with dag:
        task = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id="agent", pool=pool, **arguments)
    return run_task(task, connections=connections, conf=conf, xcoms=xcoms)


def test_a_path_in_the_dag_file(sandbox, pool, connections, dag):
    outcome = rotate(pool, connections=connections, dag=dag, strategy=PATH)
    assert outcome.value["current"]["id"] == pool[-1], outcome.log


def test_a_path_by_default_arguments(sandbox, pool, connections):
    dag = DAG(
        "strategies",
        schedule=None,
        start_date=datetime(2026, 3, 1, tzinfo=timezone.utc),
        default_args={"strategy": PATH},
    )
    assert rotate(pool, connections=connections, dag=dag).value["current"]["id"] == pool[-1]


@pytest.mark.parametrize("native", [False, True])
def test_a_template_gives_names(sandbox, pool, connections, native):
    dag = DAG(
        "strategies",
        schedule=None,
        start_date=datetime(2026, 3, 1, tzinfo=timezone.utc),
        render_template_as_native_obj=native,
    )
    given = {"strategy": "{{ dag_run.conf['s'] }}", "conf": {"s": "weighted"}}
    assert rotate(pool, connections=connections, dag=dag, **given).state == "success"


@pytest.mark.parametrize(
    ("template", "conf"),
    [
        ("{{ dag_run.conf['s'] }}", {"s": PATH}),
        ("{{ dag_run.conf['s'] }}", {"s": "os.system"}),
        ("{{ dag_run.conf['s'] }}", {"s": "{{ dag_run.conf['s'] }}"}),
        ("strategies_of_ours.{{ dag_run.conf['s'] }}", {"s": "the_last_one"}),
        ("strategies_of_ours{# a comment #}.the_last_one", {}),
        ("{{ dag_run.conf['s'] }}", {"s": ["a"]}),
        ("{{ dag_run.conf['s'] }}", {"s": None}),
        ("{{ ti.xcom_pull('upstream') }}", {}),
    ],
)
def test_a_template_gives_no_path(sandbox, pool, connections, dag, module, template, conf):
    module.the_last_one = lambda *_: pytest.fail("called")
    outcome = rotate(
        pool,
        connections=connections,
        dag=dag,
        strategy=template,
        conf=conf,
        xcoms={"upstream": PATH},
        retries=2,
    )

    assert outcome.state == "failed"
    assert "strategy" in str(outcome.error)
    assert len(sandbox.journal) == 0


def test_an_earlier_task_gives_no_path(sandbox, pool, connections, dag):
    with dag:
        earlier = DashaRotatePhoneNumberOperator(task_id="earlier", agent_id="agent", pool=pool)
    outcome = rotate(
        pool,
        connections=connections,
        dag=dag,
        strategy=XComArg(earlier, key="strategy"),
        xcoms={("earlier", "strategy"): PATH},
        retries=2,
    )
    assert outcome.state == "failed"
    assert WHY in str(outcome.error)


def test_mapped_tasks_keep_the_path_of_partial(sandbox, pool, connections, dag):
    with dag:
        task = DashaRotatePhoneNumberOperator.partial(task_id="rotate", pool=pool, strategy=PATH).expand(
            agent_id=["one", "two"]
        )
    outcome = run_task(task, connections=connections, map_index=1)
    assert outcome.value["current"]["id"] == pool[-1], outcome.log


def test_mapped_values_give_names_only(sandbox, pool, connections, dag):
    with dag:
        task = DashaRotatePhoneNumberOperator.partial(
            task_id="rotate", pool=pool, agent_id="agent", retries=2
        ).expand(strategy=["weighted", PATH])

    assert run_task(task, connections=connections, map_index=0).state == "success"
    outcome = run_task(task, connections=connections, map_index=1)
    assert outcome.state == "failed"
    assert WHY in str(outcome.error)


def test_a_mapped_group_keeps_the_path_that_its_task_names(sandbox, pool, connections, dag):
    with dag:

        @task_group
        def each(agent: str) -> None:
            DashaRotatePhoneNumberOperator(task_id="rotate", pool=pool, agent_id=agent, strategy=PATH)

        each.expand(agent=["one", "two"])
    outcome = run_task(dag.get_task("each.rotate"), connections=connections, map_index=0)
    assert outcome.value["current"]["id"] == pool[-1], outcome.log


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("def f(:", "SyntaxError"),
        ("f = 1", "cannot be called"),
        ("", "has no attribute 'f'"),
    ],
)
def test_a_module_that_is_no_use(sandbox, pool, connections, dag, tmp_path, monkeypatch, source, told):
    (tmp_path / "of_no_use.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "of_no_use", raising=False)
    outcome = rotate(pool, connections=connections, dag=dag, strategy="of_no_use.f", retries=2)

    assert outcome.state == "failed"
    assert told in str(outcome.error)
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize(
    "strategy", [None, 7, ["round_robin"], {"a": 1}, "", ".", "a.", ".a", "a..b", "x" * 9999]
)
def test_what_is_no_strategy(sandbox, pool, connections, dag, strategy):
    outcome = rotate(pool, connections=connections, dag=dag, strategy=strategy, retries=2)

    assert outcome.state == "failed"
    assert "strategy" in str(outcome.error)
    assert len(str(outcome.error)) < 1000
    assert len(sandbox.journal) == 0
