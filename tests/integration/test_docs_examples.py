"""What users copy from the pages, run as they would run it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow import __version__ as airflow_version
from airflow_harness.runs import load_dag
from airflow_harness.tasks import run_task
from integration.documents import ROOT, Document, run
from packaging.version import Version

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.sandbox import Sandbox, seeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXAMPLES = ROOT / "docs" / "examples"
PORT = "8765"


@pytest.mark.commands
def test_the_users_tests_pass_in_a_project_of_their_own(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLES / "testing", project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    assert "python -m pytest" in Document("docs/howto/testing.md").blocks("bash")[0]
    assert "4 passed" in run("python -m pytest -p no:cacheprovider", project)


@pytest.mark.commands
@pytest.mark.phonelink_sandbox(seed="demo")
def test_the_quickstart(phonelink_sandbox: Sandbox, tmp_path: Path) -> None:
    """From the connection on: the installation and the start of the sandbox have tests of their own."""
    install, start, connect, test, look = Document("docs/quickstart.md").blocks("bash")
    assert "pip install '.[sandbox]'" in install
    assert f"--port {PORT} --seed demo" in start
    told = connect.replace(PORT, str(phonelink_sandbox.port))
    exports = "\n".join(line for line in told.splitlines() if line.startswith("export "))
    dags = tmp_path / "phonelink" / "airflow" / "dags"
    dags.mkdir(parents=True)
    shutil.copy(EXAMPLES / "testing" / "dags" / "support_line.py", dags)

    assert told.splitlines()[-1] == "airflow db migrate"
    printed = run(f"{exports}\nairflow db migrate\n{test}\n{look}", tmp_path)
    *_, found = [line for line in printed.splitlines() if line.strip()]
    assert found.split()[1:] == ["+15550100099", "True", "Registered", "agent-support"]

    phonelink_sandbox.journal.clear()
    again = run(f"{exports}\n{test.splitlines()[-1]}", tmp_path)
    assert not phonelink_sandbox.journal.writes()
    assert "already exists and was adopted" in again
    assert "answers for agent agent-support already" in again


@pytest.mark.skipif(
    Version(airflow_version) < Version("3.2"), reason="a task is no coroutine on this Airflow"
)
@pytest.mark.phonelink_sandbox(seed="demo")
def test_the_asynchronous_task(phonelink_sandbox: Sandbox) -> None:
    dag = load_dag(EXAMPLES / "taskflow" / "link_many.py")
    outcome = run_task(
        dag.get_task("night_shift"),
        connections=phonelink_sandbox.connections,
        conf={"agent_id": "agent-night"},
    )
    assert outcome.value == {"linked": 4}
    answering = [agent for agent, _ in phonelink_sandbox.world.dasha.links().values()]
    assert sorted(map(str, answering)) == ["agent-night"] * 4 + ["agent-support"]


def test_the_strategy_of_ones_own(
    sandbox: Sandbox, connections: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Document("docs/operators/rotate.md").block("python", 'strategy="strategies.the_least_used"')
    monkeypatch.syspath_prepend(EXAMPLES / "rotation")
    pool = [sandbox.world.dasha.add_number(f"+1555010{i}", steps=seeds.REGISTERED) for i in range(3)]
    rotate = DashaRotatePhoneNumberOperator(
        task_id="rotate", agent_id="agent-1", pool=pool, strategy="strategies.the_least_used"
    )
    variables: dict[str, str] = {}
    found = [
        run_task(rotate, connections=connections, run_id=f"run-{i}", variables=variables).value["current"][
            "id"
        ]
        for i in range(5)
    ]
    assert found == [*pool, *pool[:2]]


@pytest.mark.phonelink_sandbox(seed="demo")
def test_the_plan_that_the_page_shows(phonelink: Callable[..., tuple[int, str, str]]) -> None:
    told = Document("docs/howto/routing-as-code.md").block("text", "Plan:")
    code, printed, _ = phonelink("routes", "plan", "-f", ROOT / "example_dags" / "routes.yaml")
    assert code == 2
    assert without_ids(printed) == without_ids(told)


def without_ids(text: str) -> list[str]:
    return [re.sub(r"\(id [^)]*\)", "(id)", line).strip() for line in text.strip().splitlines()]


def test_the_seed_that_the_page_shows() -> None:
    with Sandbox(seed=str(EXAMPLES / "sandbox" / "seed.json")) as sandbox:
        [number] = sandbox.world.dasha.numbers.values()
        assert sandbox.world.dasha.links()[number.id] == ("agent-support", ["agent-campaign"])
        assert sandbox.world.callingbox.links() == {"pn_reception": ("agt_reception", [])}


def test_the_sandbox_is_driven_as_the_page_shows(phonelink_sandbox: Sandbox) -> None:
    commands = Document("docs/sandbox.md").block("bash", "curl")
    for line in commands.splitlines():
        method, url, body = request_of(line)
        answer = httpx.request(
            method,
            url.replace(PORT, str(phonelink_sandbox.port)),
            content=body,
            headers={"Content-Type": "application/json"},
        )
        assert answer.is_success, f"{line}: {answer.text}"
        if "/faults" in url:
            assert [armed.fault.status for armed in phonelink_sandbox.faults.armed] == [503]
    assert not phonelink_sandbox.faults.armed  # the last one resets


def request_of(line: str) -> tuple[str, str, str | None]:
    """Return what a command line of curl asks for."""
    words = shlex.split(line)
    options = {one: other for one, other in pairwise(words) if one.startswith("-")}
    [url] = [word for word in words if word.startswith("http://")]
    body = options.get("-d")
    if body:
        json.loads(body)
    return options.get("-X", "GET"), url, body
