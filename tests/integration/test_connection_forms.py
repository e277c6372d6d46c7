"""What the UI shows of the two connection types, and what becomes of what it saves: through a real API server."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS
from airflow_harness.waiting import EVENTUALLY

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_harness.processes import Deployment

    from airflow_provider_phonelink.api.settings import Settings

TYPES = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}
SETTINGS: dict[str, type[Settings]] = {
    vendor.key: vendors.load(vendor.settings) for vendor in vendors.VENDORS
}
KEY = "key-of-the-form"
PROXY = "http://someone:hunter2@proxy:3128"
FILLED_IN = {
    "timeout": 2.5,
    "total_timeout": 60.0,
    "max_retries": 2,
    "max_failed_polls": 3,
    "requests_per_second": 7.5,
    "verify_ssl": False,
    "ca_bundle": "/etc/ca.pem",
    "proxy": PROXY,
    "allow_http": True,
    "console_url": "https://console.example",
    "active_states": ["On", "Online"],
    "failed_states": ["Off"],
    "check_expiry": False,
    "outbound_uses": ["callerId"],
    "attach_body_key": "id",
}
#: What the form has no field for: another tool may have put it there.
NOT_OURS = {"timeout": 5, "proxy": PROXY, "not_ours": {"of": ["somebody"]}}

#: Airflow 3.0 asks the hooks only if this is installed.
HAS_FORMS = AIRFLOW_V_3_1_PLUS or find_spec("wtforms") is not None
needs_forms = pytest.mark.skipif(not HAS_FORMS, reason="Airflow 3.0 shows no form without WTForms")
both = pytest.mark.parametrize("conn_type", sorted(TYPES))

READ = """
import json, sys
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.hooks.vendor import VendorHook

found = {}
for conn_id in sys.argv[1:]:
    connection = VendorHook.get_connection(conn_id)
    hook = {"dasha": DashaHook, "callingbox": CallingBoxHook}[connection.conn_type](conn_id)
    known = "not_ours" not in connection.extra_dejson
    found[conn_id] = {
        "stored": [connection.login, connection.description, connection.password, connection.extra_dejson],
        "settings": known and hook.settings.model_dump(mode="json", exclude={"source", "api_key", "proxy"}),
        "proxy": known and hook.settings.proxy and hook.settings.proxy.get_secret_value(),
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def airflow(deploy_on_sqlite: Callable[..., Deployment]) -> Iterator[Deployment]:
    """An API server, and nothing else."""
    with deploy_on_sqlite("forms", components=()) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def forms(airflow: Deployment) -> dict[str, Any]:
    """What the UI is told of each type."""
    with httpx.Client(base_url=airflow.url, trust_env=False, timeout=EVENTUALLY) as client:
        token = client.get("/auth/token").raise_for_status().json()["access_token"]
        answer = client.get("/ui/connections/hook_meta", headers={"Authorization": f"Bearer {token}"})
    return {form["connection_type"]: form for form in answer.raise_for_status().json()}


@pytest.fixture(scope="module")
def found(airflow: Deployment, forms: dict[str, Any]) -> dict[str, Any]:
    """What hooks read from connections that were saved as the UI saves them."""
    for conn_type, entry in TYPES.items():
        names, fields = list(entry["conn-fields"]), forms[conn_type]["extra_fields"] or {}
        filled_in = {name: as_saved(fields.get(name), FILLED_IN[name]) for name in names}
        save(airflow, f"{conn_type}_filled_in", conn_type, filled_in)
        save(airflow, f"{conn_type}_null", conn_type, dict.fromkeys(names))
        save(airflow, f"{conn_type}_empty", conn_type, dict.fromkeys(names, ""))
        save(airflow, f"{conn_type}_absent", conn_type, {})
        save(airflow, f"{conn_type}_edited", conn_type, NOT_OURS)
        edit(airflow, f"{conn_type}_edited")
    cases = ("filled_in", "null", "empty", "absent", "edited")
    done = subprocess.run(
        [sys.executable, "-c", READ, *(f"{conn_type}_{case}" for conn_type in TYPES for case in cases)],
        # As the components that read the database do, without a task's supervisor.
        env={**airflow.home.environment(), "_AIRFLOW_PROCESS_CONTEXT": "server"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def as_saved(field: dict[str, Any] | None, value: Any) -> Any:
    """How the UI saves what is typed into a field: as the field's type, a list as text."""
    text = ", ".join(value) if isinstance(value, list) else value
    return str(text) if field and "string" in field["schema"]["type"] else text


def save(airflow: Deployment, conn_id: str, conn_type: str, extra: dict[str, Any]) -> None:
    fields = {"description": "", "host": "", "login": "someone", "schema": ""}
    airflow.api.set_connection(conn_id, conn_type=conn_type, password=KEY, extra=extra, **fields)


def edit(airflow: Deployment, conn_id: str) -> None:
    """Change one field, and send the others back as they were shown: the secret ones masked."""
    shown = airflow.api.get(f"connections/{conn_id}")
    assert shown["password"] == "***"
    assert KEY not in json.dumps(shown)
    extra = {**json.loads(shown["extra"]), "timeout": 7}
    edited = {**shown, "description": "edited", "extra": json.dumps(extra)}
    airflow.api.request("PATCH", f"connections/{conn_id}", json=edited)


@both
def test_the_type_is_offered(forms, conn_type) -> None:
    assert forms[conn_type]["hook_name"] == TYPES[conn_type]["hook-name"]
    assert forms[conn_type]["hook_class_name"] == TYPES[conn_type]["hook-class-name"]


@needs_forms
@both
def test_airflows_own_fields_are_labelled_hidden_and_explained(forms, conn_type) -> None:
    fields = {name: field for name, field in forms[conn_type]["standard_fields"].items() if field}
    shown = {name: (field["title"], field["placeholder"]) for name, field in fields.items()}
    assert shown == {
        "host": ("Base URL", SETTINGS[conn_type].default_base_url),
        "password": ("API key", None),
        "url_schema": ("Scheme", "https"),
        "port": (None, "443"),
        "login": (None, None),
    }
    assert [name for name, field in fields.items() if field["hidden"]] == ["login"]


@needs_forms
@both
def test_every_extra_has_a_field(forms, conn_type) -> None:
    fields = forms[conn_type]["extra_fields"]
    described = TYPES[conn_type]["conn-fields"]
    assert list(fields) == list(described)
    for name, field in fields.items():
        assert field["schema"]["title"] == described[name]["label"]
        assert field["description"] == described[name]["description"]
        assert field["value"] == described[name]["schema"].get("default")
        assert "null" in field["schema"]["type"], "a field may be left empty"
    assert [name for name, field in fields.items() if field["schema"].get("format") == "password"] == [
        "proxy"
    ]


@both
def test_what_is_filled_in_is_what_the_hook_reads(found, conn_type) -> None:
    read = found[f"{conn_type}_filled_in"]
    extras = set(TYPES[conn_type]["conn-fields"]) - {"proxy"}
    assert {name: read["settings"][name] for name in extras} == {name: FILLED_IN[name] for name in extras}
    assert read["settings"]["base_url"] == SETTINGS[conn_type].default_base_url
    assert read["proxy"] == PROXY
    assert read["stored"][2] == KEY


@pytest.mark.parametrize("emptied", ["null", "empty", "absent"])
@both
def test_a_field_that_is_empty_means_the_default(found, conn_type, emptied) -> None:
    settings = SETTINGS[conn_type](base_url=SETTINGS[conn_type].default_base_url, api_key=KEY)  # type: ignore[arg-type, call-arg]
    read = found[f"{conn_type}_{emptied}"]
    assert read["settings"] == settings.model_dump(mode="json", exclude={"source", "api_key", "proxy"})
    assert read["proxy"] is None


@both
def test_an_edit_keeps_what_is_hidden_masked_or_not_ours(found, conn_type) -> None:
    assert found[f"{conn_type}_edited"]["stored"] == ["someone", "edited", KEY, {**NOT_OURS, "timeout": 7}]


@both
def test_airflow_tests_connections_only_where_that_is_switched_on(airflow, conn_type) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        airflow.api.request(
            "POST", "connections/test", json={"connection_id": "unsaved", "conn_type": conn_type}
        )
