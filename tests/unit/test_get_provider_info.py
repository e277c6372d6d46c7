from __future__ import annotations

import json
from importlib import import_module, metadata, resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.settings import Settings

INFO = get_provider_info()
TYPES = {entry["connection-type"]: entry for entry in INFO["connection-types"]}
SETTINGS: dict[str, type[Settings]] = {
    vendor.key: vendors.load(vendor.settings) for vendor in vendors.VENDORS
}
CORE_FIELDS = {"login", "password", "host", "schema", "port", "extra"}


def schema(name: str) -> dict[str, Any]:
    return json.loads(resources.files("airflow").joinpath(name).read_text())


def test_the_metadata_is_plain_and_fresh() -> None:
    assert json.loads(json.dumps(INFO)) == INFO
    get_provider_info()["hooks"].clear()
    assert get_provider_info() == INFO


def test_the_metadata_is_what_airflow_reads() -> None:
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


def test_the_metadata_is_what_airflow_publishes() -> None:
    described = schema("provider.yaml.schema.json")
    known = described["properties"]
    # An Airflow that does not know a key passes over it.
    assert set(INFO) - {"cli"} <= set(known)
    # What Airflow's release managers need, and other parties' providers do not have.
    described["required"] = [name for name in described["required"] if name in INFO]
    info = {key: value for key, value in get_provider_info().items() if key in known}
    if "conn-fields" not in known["connection-types"]["items"]["properties"]:  # before 3.2
        for entry in info["connection-types"]:
            del entry["conn-fields"], entry["ui-field-behaviour"], entry["hook-name"]
    jsonschema.validate(info, described)


def test_the_commands_are_where_airflow_looks_for_them() -> None:
    for path in INFO["cli"]:
        module, _, name = path.rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_the_package_name_is_that_of_the_distribution() -> None:
    distribution = metadata.distribution(INFO["package-name"])
    [entry] = [entry for entry in distribution.entry_points if entry.group == "apache_airflow_provider"]
    assert entry.load() is get_provider_info


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_module_imports_and_belongs_to_an_integration(kind) -> None:
    integrations = {entry["integration-name"] for entry in INFO["integrations"]}
    for entry in INFO[kind]:
        assert entry["integration-name"] in integrations
        for module in entry["python-modules"]:
            assert import_module(module).__doc__


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_every_connection_type_has_its_hook(conn_type) -> None:
    module, _, name = TYPES[conn_type]["hook-class-name"].rpartition(".")
    hook = getattr(import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (conn_type, TYPES[conn_type]["hook-name"])


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_the_form_has_exactly_the_extras_that_the_settings_know(conn_type) -> None:
    known = set(SETTINGS[conn_type].model_fields) - {"base_url", "api_key", "source"}
    assert set(TYPES[conn_type]["conn-fields"]) == known


@pytest.mark.parametrize(
    ("conn_type", "name"),
    [(conn_type, name) for conn_type in sorted(TYPES) for name in TYPES[conn_type]["conn-fields"]],
)
def test_a_field_has_the_type_and_the_default_of_its_setting(conn_type, name) -> None:
    field = TYPES[conn_type]["conn-fields"][name]
    setting = SETTINGS[conn_type].model_fields[name]
    [kind] = set(field["schema"]["type"]) - {"null"}
    annotated = str(setting.annotation)
    assert kind == next(
        (k for k, py in (("boolean", "bool"), ("integer", "int"), ("number", "float")) if py in annotated),
        "string",
    )
    assert field["label"]
    assert field["description"].endswith(".")
    if "default" in field["schema"]:
        assert field["schema"]["default"] == setting.default
    elif isinstance(setting.default, (int, float)) and not isinstance(setting.default, bool):
        assert f"Default {setting.default:g}." in field["description"]
    elif isinstance(setting.default, tuple):
        assert f"Default: {', '.join(setting.default)}." in field["description"]


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_the_form_takes_the_numbers_that_the_settings_take(conn_type) -> None:
    for name, field in TYPES[conn_type]["conn-fields"].items():
        described = SETTINGS[conn_type].model_json_schema()["properties"][name]
        bounds = [part for part in (described, *described.get("anyOf", ())) if "minimum" in part]
        shown = [field["schema"]] if "minimum" in field["schema"] else []
        assert [(part["minimum"], part["maximum"]) for part in shown] == [
            (part["minimum"], part["maximum"]) for part in bounds
        ], name


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_secret_fields_are_shown_as_passwords(conn_type) -> None:
    secret = {
        name for name, field in SETTINGS[conn_type].model_fields.items() if "Secret" in str(field.annotation)
    }
    shown = TYPES[conn_type]["conn-fields"]
    assert {name for name in shown if shown[name]["schema"].get("format") == "password"} == secret - {
        "api_key"
    }


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_the_form_names_real_fields(conn_type) -> None:
    form = TYPES[conn_type]["ui-field-behaviour"]
    assert set(form["hidden-fields"]) | set(form["relabeling"]) | set(form["placeholders"]) <= CORE_FIELDS
    assert not set(form["hidden-fields"]) & (set(form["relabeling"]) | set(form["placeholders"]))
    assert form["placeholders"]["host"] == SETTINGS[conn_type].default_base_url
    behaviours = schema("customized_form_field_behaviours.schema.json")
    jsonschema.validate({key.replace("-", "_"): value for key, value in form.items()}, behaviours)
