"""Each entry of the list of vendors leads to what it promises; whoever adds one learns here what is missing."""

from __future__ import annotations

import ast
from pathlib import Path
from types import GeneratorType

import pytest

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.settings import Settings
from airflow_provider_phonelink.cli.lists import FILTERS, Table
from airflow_provider_phonelink.decisions.scope import KEYS
from airflow_provider_phonelink.hooks.vendor import VendorHook
from airflow_provider_phonelink.promises.routing import Routing, routing_of
from airflow_provider_phonelink.sandbox.world import StandIn

PACKAGE = Path(vendors.__file__).parent
each_vendor = pytest.mark.parametrize("vendor", vendors.VENDORS, ids=vendors.keys())


def test_no_two_vendors_have_the_same_key_or_name() -> None:
    assert (
        len(set(vendors.keys())) == len({vendor.name for vendor in vendors.VENDORS}) == len(vendors.VENDORS)
    )
    assert vendors.find("nobody") is None
    assert vendors.find(None) is None


@each_vendor
class TestAnEntry:
    def test_its_key_can_be_a_connection_type_and_a_host(self, vendor) -> None:
        assert vendor.key.isidentifier()
        assert vendor.key == vendor.key.lower()
        assert vendors.find(vendor.key) is vendor

    def test_its_hook(self, vendor) -> None:
        hook = vendors.load(vendor.hook)
        assert issubclass(hook, VendorHook)
        assert hook.vendor is vendor
        assert (hook.conn_type, hook.hook_name) == (vendor.key, vendor.name)
        assert hook.conn_name_attr == f"{vendor.key}_conn_id"
        assert hook().conn_id == hook.default_conn_name == vendor.default_conn_id
        assert hook()._probe().method == "GET"

    def test_its_settings(self, vendor) -> None:
        settings = vendors.load(vendor.settings)
        assert issubclass(settings, Settings)
        assert settings.default_base_url == vendor.base_url
        assert settings.console_numbers

    def test_its_routing(self, vendor) -> None:
        routing = routing_of(vendor)
        assert isinstance(routing, Routing)
        assert set(routing.rules.scope_keys) <= set(KEYS)
        assert isinstance(routing.plan([]), GeneratorType)
        assert isinstance(routing.export(), GeneratorType)

    @pytest.mark.parametrize("kind", ["number_table", "agent_table", "credentials_table"])
    def test_its_tables(self, vendor, kind) -> None:
        if kind != "number_table" and getattr(vendor, kind) is None:
            return
        table = vendors.load(getattr(vendor, kind))
        assert isinstance(table, Table)
        assert table.columns
        assert set(table.filters) <= set(FILTERS)
        assert isinstance(table.rows(**dict.fromkeys(table.filters)), GeneratorType)

    def test_its_registrations(self, vendor) -> None:
        if vendor.registrations:
            assert isinstance(vendors.load(vendor.registrations)([]), GeneratorType)

    def test_its_fleet(self, vendor) -> None:
        if vendor.fleet:
            assert isinstance(vendors.load(vendor.fleet)(), GeneratorType)

    def test_what_the_doctor_looks_at(self, vendor) -> None:
        if vendor.examination:
            assert isinstance(vendors.load(vendor.examination).read(), GeneratorType)

    def test_its_part_of_the_sandbox(self, vendor) -> None:
        stand_in = vendors.load(vendor.stand_in)
        assert isinstance(stand_in, StandIn)
        assert stand_in.vendor is vendor
        assert stand_in.endpoints.routers
        assert isinstance(stand_in.endpoints.SCHEMAS, dict)


def names_in(file: Path) -> set[str]:
    """Return what a file imports or says in code, as lower-case words; not its comments and docstrings."""
    found: set[str] = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Name | ast.Attribute):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in texts:
            found.add(node.value)
    return {name.lower() for name in found}


#: Files that are one vendor's although they are not in its folder.
OF_ONE_VENDOR = {
    "sandbox/__init__.py": "its public names include Dasha's `Step`",
}


def test_no_shared_file_names_a_vendor() -> None:
    keys, naming = vendors.keys(), set()
    for file in PACKAGE.rglob("*.py"):
        place = file.relative_to(PACKAGE)
        of_a_vendor = {*place.parts, file.stem} & set(keys)
        if of_a_vendor or place == Path("vendors.py"):
            continue
        if any(key in name for name in names_in(file) for key in keys):
            naming.add(place.as_posix())
    assert naming == set(OF_ONE_VENDOR)


def test_no_shared_file_asks_what_a_vendor_is() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                asked = ast.unparse(node.args[1])
                assert not any(vendors.load(vendor.hook).__name__ in asked for vendor in vendors.VENDORS), (
                    file
                )
