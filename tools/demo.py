"""
Onboard, rotate and offboard phone numbers in a real Airflow, against the sandbox.

Run by `make demo`. Scheduler, triggerer, DAG processor and API server work on SQLite in `.demo/`, which is made anew
each time; what they print goes to files there. With `--ui`, as `make demo-ui` runs it, they stay up afterwards, and the
numbers go on changing, to be looked at on Airflow's page of phone numbers.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
import webbrowser
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import httpx
import psutil
from airflow_harness.home import AirflowHome, without_proxy
from airflow_harness.processes import Deployment
from airflow_harness.rest import FINISHED
from rich.console import Console
from rich.table import Table

from airflow_provider_phonelink.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".demo"
YESTERDAY = datetime.now(timezone.utc).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=1)
# The rotation runs for two days, so that it moves the caller ID on whatever day it is.
RUNS: tuple[tuple[str, str, datetime | None], ...] = (
    ("onboarding", "create two numbers, wait until they are registered, link them to their agents", None),
    (
        "campaign_rotation",
        "give the campaign's agent the caller ID of the day",
        YESTERDAY - timedelta(days=1),
    ),
    ("campaign_rotation", "and of the day after", YESTERDAY),
    ("offboarding", "take numbers away from their agents, at both vendors", None),
)
#: What happens to a registration in each minute that somebody looks.
LOST_AND_FOUND = [
    {"after": 0, "state": "Registered"},
    {"after": 20, "state": "Failed", "error": "request timed out", "sip": "408 Request Timeout"},
    {"after": 40, "state": "Registering"},
    {"after": 45, "state": "Registered"},
]
MINUTE = 60
ENDED = (*FINISHED, "skipped", "upstream_failed", "removed")
TIMEOUT = 120

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Number:
    """What a vendor says of a number."""

    number: str
    registration: str = ""
    inbound: str = ""
    outbound: str = ""


FIELDS = {"registration": "Registration", "inbound": "Inbound agent", "outbound": "Outbound agents"}
State: TypeAlias = "dict[str, dict[str, Number]]"
"""By vendor and id, every number."""


class Vendors:
    """Both vendors' state, read through their public APIs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clients = {
            key: httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False)
            for key, url, secret in (
                ("Dasha", sandbox.dasha_url, sandbox.dasha_key),
                ("CallingBox", sandbox.callingbox_url, sandbox.callingbox_key),
            )
        }

    def numbers(self) -> State:
        """Read every number."""
        return {"Dasha": dict(self._dasha()), "CallingBox": dict(self._callingbox())}

    def _get(self, vendor: str, path: str) -> Any:
        return self._clients[vendor].get(path).raise_for_status().json()

    def _dasha(self) -> Iterator[tuple[str, Number]]:
        for item in self._get("Dasha", "/api/v1/sip-phone-numbers?take=1000")["items"]:
            used = self._get("Dasha", f"/api/v1/sip-phone-numbers/{item['id']}/affected-agents")
            outbound = [a["agentId"] for a in used["affectedAgents"] if set(a["uses"]) - {"inbound"}]
            yield (
                item["id"],
                Number(
                    item["phoneNumber"],
                    item["registrationStatus"]["state"],
                    item["incomingCallsAgentId"] or "",
                    ", ".join(outbound),
                ),
            )

    def _callingbox(self) -> Iterator[tuple[str, Number]]:
        answer = self._get("CallingBox", "/v1/numbers")
        for item in answer if isinstance(answer, list) else answer["data"]:
            inbound, outbound = item["inbound_agent_id"] or "", ", ".join(item["outbound_agent_ids"])
            yield item["id"], Number(item["e164"], "", inbound, outbound)


def main(*, stay: bool = False) -> int:
    """Run the demo; 0 when all three DAGs have succeeded. It may stay, to be looked at."""
    os.environ.update(without_proxy(os.environ))
    signal.signal(signal.SIGTERM, _terminated)
    FOLDER.mkdir(exist_ok=True)
    with _only_one(), Sandbox(seed="demo") as sandbox:
        _remove_leftovers()
        vendors = Vendors(sandbox)
        before = vendors.numbers()
        console.print(f"[bold]Sandbox[/]  both vendors with demo data at {sandbox.url}")
        with _airflow(sandbox) as airflow:
            if not all(_run(airflow, vendors, *run) for run in RUNS):
                return 1
            for table in _tables(before, vendors.numbers()):
                console.print()
                console.print(table)
            if stay:
                with contextlib.suppress(KeyboardInterrupt):
                    _live(airflow, sandbox, vendors)
                return 0
    console.print("\nTo look at the numbers on a page in Airflow, while they change: [bold]make demo-ui[/]")
    return 0


def _live(airflow: Deployment, sandbox: Sandbox, vendors: Vendors) -> NoReturn:
    """Rotate every minute, and let a registration go and come back, until somebody interrupts."""
    page = f"{airflow.url}/plugin/phone-numbers"
    console.print(
        f"\n[bold]Look[/]  {page}\n      A rotation every minute, and a registration that is lost and comes back."
    )
    console.print("      Ctrl+C ends it.")
    # Without a screen, a browser of text would take over the terminal.
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(page)
    dasha = sandbox.world.dasha
    pool = [
        number.id
        for number in dasha.numbers.values()
        if (number.settings.display_name or "").startswith("Campaign")
    ]
    while True:
        began = time.monotonic()
        dasha.script(pool[0], LOST_AND_FOUND)
        _run(airflow, vendors, "nightly_rotation", "the next healthy number of the pool", None)
        while time.monotonic() - began < MINUTE:
            airflow.check()
            time.sleep(1)


@contextlib.contextmanager
def _airflow(sandbox: Sandbox) -> Iterator[Deployment]:
    home = AirflowHome(
        FOLDER / "airflow", settings={"AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags")}
    )
    where = home.path.relative_to(ROOT)
    console.print(
        f"[bold]Airflow[/]  {version('apache-airflow')} with SQLite, database and log files in {where}/"
    )
    began = time.monotonic()
    deployment = Deployment(home, connections=sandbox.connections, on_start=_remember)
    with deployment:
        console.print(
            f"         scheduler, triggerer and API server ready after {time.monotonic() - began:.0f} s"
        )
        yield deployment


def _run(
    airflow: Deployment, vendors: Vendors, dag_id: str, text: str, logical_date: datetime | None
) -> bool:
    """Run a DAG, with a line for each task as it ends and for each number that it changed."""
    console.print(f"\n[bold]{dag_id}[/]  {text}")
    began, before = time.monotonic(), vendors.numbers()
    run_id = airflow.api.trigger_dag(dag_id, logical_date=logical_date)
    shown: set[tuple[str, int]] = set()

    def finished() -> bool:
        state = airflow.api.run_state(dag_id, run_id)
        for task in airflow.api.task_instances(dag_id, run_id):
            key = (task["task_id"], task["map_index"])
            if task["state"] in ENDED and key not in shown:
                shown.add(key)
                console.print(_line(task))
        return state in FINISHED

    airflow.api.wait_until(finished, TIMEOUT, lambda: f"{dag_id}: {airflow.api.task_states(dag_id, run_id)}")
    state = airflow.api.run_state(dag_id, run_id)
    for change in _changes(before, vendors.numbers()):
        console.print(f"  [cyan] changed[/]  {change}")
    console.print(f"  {state} after {time.monotonic() - began:.0f} s")
    if state != "success":
        _explain(airflow, dag_id, run_id)
    return state == "success"


def _line(task: Mapping[str, Any]) -> str:
    name = task["task_id"] + (f" \\[{task['map_index']}]" if task["map_index"] >= 0 else "")
    colour = "green" if task["state"] == "success" else "yellow" if task["state"] == "skipped" else "red"
    return f"  [{colour}]{task['state']:>8}[/]  {name}"


def _explain(airflow: Deployment, dag_id: str, run_id: str) -> None:
    for task in airflow.api.task_instances(dag_id, run_id):
        if task["state"] == "failed":
            log = airflow.api.log(dag_id, run_id, task["task_id"], task["try_number"], task["map_index"])
            console.print(f"\n{task['task_id']}:", log[-3000:], markup=False)


def _changes(before: State, after: State) -> Iterator[str]:
    for vendor, numbers in after.items():
        for id_, now in numbers.items():
            was = before[vendor].get(id_, Number(now.number))
            changed = [
                f"{label.lower()}: {_change(getattr(was, field), getattr(now, field))}"
                for field, label in FIELDS.items()
                if getattr(was, field) != getattr(now, field)
            ]
            if changed:
                yield f"{now.number}  {', '.join(changed)}"


def _tables(before: State, after: State) -> Iterator[Table]:
    for vendor, numbers in after.items():
        known = [*before[vendor].values(), *numbers.values()]
        fields = [field for field in FIELDS if any(getattr(number, field) for number in known)]
        table = Table(title=f"{vendor}, before → after", title_justify="left", title_style="bold")
        for column in ("Number", *(FIELDS[field] for field in fields)):
            table.add_column(column, overflow="fold")
        for id_, now in sorted(numbers.items(), key=lambda item: item[1].number):
            was = before[vendor].get(id_, Number(""))
            cells = [_change(getattr(was, field), getattr(now, field)) for field in fields]
            table.add_row(now.number if was.number else f"{now.number} [green](new)[/]", *cells)
        yield table


def _change(was: str, now: str) -> str:
    return now or "-" if was == now else f"{was or '-'} → [bold]{now or '-'}[/]"


# --- what an interrupted demo leaves behind ---


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another `make demo` is running in this folder")
        yield


def _remember(process: psutil.Process) -> None:
    """Write down a process, so that the next demo can end it should this one be killed."""
    with (FOLDER / "processes").open("a") as file:
        file.write(json.dumps([process.pid, process.create_time()]) + "\n")


def _remove_leftovers() -> None:
    """End what a killed demo has left running, and throw away its half-made files."""
    noted = FOLDER / "processes"
    for line in noted.read_text().splitlines() if noted.exists() else ():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, ValueError):
            pid, created = json.loads(line)
            if psutil.Process(pid).create_time() == created:
                os.killpg(pid, signal.SIGKILL)
    noted.unlink(missing_ok=True)
    shutil.rmtree(FOLDER / "airflow", ignore_errors=True)


def _terminated(*_: object) -> NoReturn:
    sys.exit("terminated")


if __name__ == "__main__":
    try:
        sys.exit(main(stay="--ui" in sys.argv))
    except KeyboardInterrupt:
        sys.exit("interrupted")
