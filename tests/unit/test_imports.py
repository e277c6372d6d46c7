"""What importing the package costs: DAG files import operators, and are parsed all the time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "airflow_provider_phonelink"

#: Refuses the modules in HEAVY to whoever imports them from now on, as if they were not installed.
BLOCK = """
import sys
for name in list(sys.modules):
    if name.partition(".")[0] in HEAVY:
        del sys.modules[name]
for name in HEAVY:
    sys.modules[name] = None
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dag_file_imports_no_client() -> None:
    light = ("operators", "sensors", "triggers", "hooks", "promises", "decisions")
    modules = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for folder in light
        for file in sorted((PACKAGE / folder).rglob("*.py"))
    ]
    modules += ["airflow_provider_phonelink.exceptions", "airflow_provider_phonelink.get_provider_info"]
    assert len(modules) > 15
    run(
        "import airflow.sdk, airflow.sdk.bases.sensor, airflow.triggers.base\n"
        "import airflow_provider_phonelink.compat as compat, importlib\n"
        "for name in ('BaseHook', 'conf'): getattr(compat, name)\n"
        "HEAVY = {'httpx', 'pydantic', 'fastapi', 'tenacity', 'uvicorn'}\n"
        f"{BLOCK}"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )


def test_the_plugin_imports_nothing_of_the_page() -> None:
    """Each process of Airflow that looks for plugins imports it."""
    loaded = run(
        "import sys, airflow.plugins_manager; before = set(sys.modules)\n"
        "import airflow_provider_phonelink.fleet.plugin\n"
        "print(*set(sys.modules) - before)"
    )
    ours = ("airflow_provider_phonelink", "airflow_provider_phonelink.fleet")
    assert set(loaded.split()) <= {*ours, f"{ours[1]}.plugin"}


def test_no_other_provider_is_needed() -> None:
    """They come with Airflow, in the version of its constraints, whatever those are."""
    importing = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(from|import) airflow\.providers", file.read_text(), re.M)
    ]
    assert importing == []


def test_the_metadata_imports_nothing() -> None:
    loaded = run(
        "import sys; before = set(sys.modules)\n"
        "import airflow_provider_phonelink.get_provider_info\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    assert loaded.split() == ["airflow_provider_phonelink"]


@pytest.mark.parametrize("folder", ["api", "decisions", "promises", "doctor"])
def test_the_core_knows_nothing_of_airflow(folder) -> None:
    files = sorted((PACKAGE / folder).rglob("*.py"))
    modules = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    assert len(modules) > 1
    run(
        f"HEAVY = {{'airflow'}}\n{BLOCK}import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    )


def test_the_core_works_without_airflow() -> None:
    answered = run(
        f"HEAVY = {{'airflow', 'fastapi', 'asgiref'}}\n{BLOCK}"
        "import httpx\n"
        "from airflow_provider_phonelink.api.dasha import reads\n"
        "from airflow_provider_phonelink.api.senders import Sender\n"
        "from airflow_provider_phonelink.api.dasha.settings import DashaSettings\n"
        "page = {'items': [], 'totalCount': 0, 'skip': 0, 'take': 1000}\n"
        "transport = httpx.MockTransport(lambda request: httpx.Response(200, json=page))\n"
        "settings = DashaSettings(base_url='https://vendor.example', api_key='sk_0123456789')\n"
        "with Sender(settings, transport=transport) as sender: print(sender.run(reads.all_numbers()))\n"
    )
    assert answered == "[]\n"


def test_httpx_is_imported_only_where_requests_are_sent() -> None:
    importing = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if "import httpx" in file.read_text() and "sandbox" not in file.relative_to(PACKAGE).parts
    }
    assert importing == {"api/clients.py", "api/senders.py"}
