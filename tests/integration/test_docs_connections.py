"""The page about connections: its commands and variables, run against the sandbox, and its tables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from integration.documents import Document, run_with_airflow

from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.get_provider_info import get_provider_info
from airflow_provider_phonelink.hooks.connection import base_url

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_harness.home import AirflowHome

    from airflow_provider_phonelink.sandbox import Sandbox

PAGE = Document("docs/connections.md")
README = Document("README.md")
FORMS = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}

READ = """
import json, sys
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook
found = {}
for conn_id in sys.argv[1:]:
    with (DashaHook if conn_id.startswith("dasha") else CallingBoxHook)(conn_id) as hook:
        settings = hook.settings.model_dump(mode="json", exclude_defaults=True, exclude={"source", "api_key"})
        found[conn_id] = [settings, len(hook.list_numbers())]
print(json.dumps(found))
"""
DASHA_NUMBERS, CALLINGBOX_NUMBERS = 5, 3  # of the demo seed

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")


@pytest.fixture
def project(tmp_path: Path, migrated_home: AirflowHome) -> Path:
    """A folder with an Airflow in it."""
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "airflow.db").write_bytes(migrated_home.database.read_bytes())
    (tmp_path / "read.py").write_text(READ)
    return tmp_path


def at(sandbox: Sandbox, text: str) -> str:
    """What the page shows, but leading to the sandbox with its keys."""
    place = f"127.0.0.1:{sandbox.port}/http"
    for shown, real in {
        "https://blackbox.ru.dasha.ai": sandbox.url,
        "api.callingbox.io:443/https": place,
        "your-dasha-key": sandbox.dasha_key,
        "your-callingbox-key": sandbox.callingbox_key,
    }.items():
        text = text.replace(shown, real)
    return text


def found(printed: str) -> dict[str, Any]:
    return dict(json.loads(printed.splitlines()[-1]))


@pytest.mark.commands
def test_the_commands(project: Path, sandbox: Sandbox) -> None:
    commands = at(sandbox, PAGE.block("bash", "airflow connections add"))
    # The one that shows no address is for the vendor's usual one.
    commands = commands.replace("--conn-type dasha", f"--conn-type dasha --conn-host {sandbox.url}")
    run_with_airflow(commands, project, DASHA_API_KEY=sandbox.dasha_key)
    server = {"_AIRFLOW_PROCESS_CONTEXT": "server"}  # as the processes that read Airflow's database
    read = "python read.py dasha_default dasha_ru callingbox_default"
    assert found(run_with_airflow(read, project, **server)) == {
        "dasha_default": [
            {"base_url": sandbox.url, "requests_per_second": 5.0, "active_states": ["Registered", "Online"]},
            DASHA_NUMBERS,
        ],
        "dasha_ru": [{"base_url": sandbox.url, "total_timeout": 300.0}, DASHA_NUMBERS],
        "callingbox_default": [
            {"base_url": sandbox.url, "timeout": 20.0, "max_retries": 6},
            CALLINGBOX_NUMBERS,
        ],
    }

    assert "Connection success!" in run_with_airflow(PAGE.block("bash", "airflow connections test"), project)
    sandbox.change_key("dasha", "another-key")
    replacement = {"dasha_default": {"conn_type": "dasha", "host": sandbox.url, "password": "another-key"}}
    (project / "connections.json").write_text(json.dumps(replacement))
    run_with_airflow(PAGE.block("bash", "airflow connections import"), project)
    assert found(run_with_airflow("python read.py dasha_default", project, **server)) == {
        "dasha_default": [{"base_url": sandbox.url}, DASHA_NUMBERS]
    }


def test_the_variables(project: Path) -> None:
    script = READ.replace("len(hook.list_numbers())", "hook.settings.api_key.get_secret_value()")
    (project / "read.py").write_text(script)
    exports = PAGE.block("bash", "export AIRFLOW_CONN")
    assert found(
        run_with_airflow(f"{exports}\npython read.py dasha_default callingbox_default", project)
    ) == {
        "dasha_default": [{"base_url": "https://blackbox.dasha.ai", "timeout": 20.0}, "your-dasha-key"],
        "callingbox_default": [
            {"base_url": "https://api.callingbox.io", "timeout": 20.0},
            "your-callingbox-key",
        ],
    }


def test_the_secrets_backend(project: Path, sandbox: Sandbox) -> None:
    secrets = json.loads(at(sandbox, PAGE.block("json", "conn_type")))
    for connection in secrets.values():
        connection["host"] = sandbox.url
    (project / "connections.json").write_text(json.dumps(secrets))
    exports = PAGE.block("bash", "export AIRFLOW__SECRETS__BACKEND=")
    exports = exports.replace("/run/secrets/connections.json", str(project / "connections.json"))
    assert found(
        run_with_airflow(f"{exports}\npython read.py dasha_default callingbox_default", project)
    ) == {
        "dasha_default": [{"base_url": sandbox.url}, DASHA_NUMBERS],
        "callingbox_default": [{"base_url": sandbox.url, "timeout": 20.0}, CALLINGBOX_NUMBERS],
    }


@pytest.mark.parametrize(("host", "schema", "port", "url"), PAGE.table("`host`"))
def test_the_base_urls(host: str, schema: str, port: str, url: str) -> None:
    fields = host.strip("`"), schema.strip("`"), int(port) if port else None
    if url.startswith("refused: "):
        with pytest.raises(ValueError, match="schema" if "schemes" in url else "path"):
            base_url(*fields, DashaSettings.default_base_url)
    else:
        assert f"`{base_url(*fields, DashaSettings.default_base_url)}`" == url


def test_the_extras_are_those_of_the_readme() -> None:
    assert [row[:3] for row in PAGE.table("extra")] == README.table("extra")


@pytest.mark.parametrize("row", PAGE.table("extra"), ids=lambda row: row[0])
def test_an_extra_has_this_range_and_label(row: list[str]) -> None:
    spelt, _, _, ranges, labels = row
    vendor = "callingbox" if "(CallingBox)" in spelt else "dasha"
    settings = {"callingbox": CallingBoxSettings, "dasha": DashaSettings}[vendor].model_json_schema()  # type: ignore[attr-defined]
    fields = FORMS[vendor]["conn-fields"]
    names = re.findall(r"`(\w+)`", spelt)
    assert ", ".join(fields[name]["label"] for name in names) == labels
    for name in names:
        described = settings["properties"][name]
        bounds = [part for part in (described, *described.get("anyOf", ())) if "minimum" in part]
        told = [f"{part['minimum']:,} to {part['maximum']:,}" for part in bounds]
        assert told == ([ranges] if ranges else [])


def test_the_fields_are_those_of_the_form() -> None:
    told = {label: name.strip("`") for label, name, _ in PAGE.table("in the form")}
    for form in FORMS.values():
        relabelled = {label: name for name, label in form["ui-field-behaviour"]["relabeling"].items()}
        assert relabelled.items() <= told.items()
        assert all(
            f"`{name}` is not used" in PAGE.text for name in form["ui-field-behaviour"]["hidden-fields"]
        )
