"""What CONTRIBUTING.md lists for a new endpoint or operator is there for each that exists."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from unit.api.callingbox import test_endpoints as callingbox_calls
from unit.api.dasha import test_endpoints as dasha_calls
from unit.test_docs import PUBLIC

from airflow_provider_phonelink.api.calls import Call
from airflow_provider_phonelink.sandbox import Sandbox
from airflow_provider_phonelink.vendors import VENDORS, Vendor, load

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parents[1]
PACKAGE = "airflow_provider_phonelink"
CALLS = {"dasha": dasha_calls.CALLS, "callingbox": callingbox_calls.CALLS}
KEYS = [vendor.key for vendor in VENDORS]


def endpoints(vendor: str) -> dict[str, Callable[..., Any]]:
    """Return a vendor's endpoints by name."""
    module = import_module(f"{PACKAGE}.api.{vendor}.endpoints")
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and str(inspect.signature(function).return_annotation).startswith("Call[")
    }


def operators() -> list[tuple[str, str]]:
    """Return the public operators, and the key of their vendor."""
    return [
        (vendor.key, name)
        for vendor in VENDORS
        for module in vendor.modules.get("operators", ())
        for name in import_module(module).__all__
    ]


@pytest.mark.parametrize("vendor", KEYS)
def test_each_endpoint_is_compared_with_the_vendors_page(vendor: str) -> None:
    source = (TESTS / "unit" / "api" / vendor / "test_endpoints.py").read_text(encoding="utf-8")
    table = source.partition("\nCALLS")[2].partition("\n}")[0]
    assert [name for name in endpoints(vendor) if f"endpoints.{name}(" not in table] == []


@pytest.mark.parametrize("vendor", KEYS)
def test_the_sandbox_serves_each_endpoint(vendor: str) -> None:
    served = {
        (method.upper(), re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        for path, operations in Sandbox().openapi()["paths"].items()
        for method in operations
    }
    for name, (call, *_) in CALLS[vendor].items():
        assert isinstance(call, Call)
        assert any(call.method == method and re.fullmatch(path, call.path) for method, path in served), name


@pytest.mark.parametrize("vendor", VENDORS, ids=KEYS)
def test_each_method_of_a_hook_has_an_asynchronous_twin(vendor: Vendor) -> None:
    own = {
        name
        for name, _ in inspect.getmembers(load(vendor.hook), inspect.isfunction)
        if name in vars(load(vendor.hook))
    }
    public = {name for name in own if not name.startswith("_")}
    alone = {name for name in public if f"a{name}" not in public and name[1:] not in public}
    assert {name for name in alone if not re.fullmatch(r"a\w+_many", name)} == set()


@pytest.mark.parametrize("vendor", VENDORS, ids=KEYS)
def test_each_operator_is_exported(vendor: Vendor) -> None:
    for module in vendor.modules.get("operators", ()):
        folder = Path(str(import_module(module).__file__)).parent
        source = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
        defined = set(re.findall(r"^class ([A-Z]\w+Operator)\(", source, re.M))
        base = {name for name in defined if re.search(rf"^class \w+\(.*\b{name}\b.*\):", source, re.M)}
        assert defined - base == set(import_module(module).__all__)


@pytest.mark.parametrize(("vendor", "operator"), operators())
def test_each_operator_is_among_the_public_names(vendor: str, operator: str) -> None:
    assert operator in PUBLIC[f"operators.{vendor}"]


def test_the_lists_name_tests_that_exist() -> None:
    page = (TESTS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:tests/)?((?:unit|integration|production)/[\w/]+\.py)(?:::(\w+))?", page)
    assert len(named) > 30
    for file, test in named:
        assert f"def {test}" in (TESTS / file).read_text(encoding="utf-8"), f"{file}::{test}"


#: Where every operator has a place, by what is proved there.
PLACES = {
    "faults at each request": "integration/operations.py integration/longer_operations.py",
    "bad input": "integration/test_bad_input.py",
    "what happens between and within tries": "simulation/operations.py",
}
#: Reads only, so that nothing it did needs to be known to a later try.
READS_ONLY = {
    ("what happens between and within tries", operator)
    for operator in (
        "DashaListPhoneNumbersOperator",
        "DashaExportRoutesOperator",
        "CallingBoxListNumbersOperator",
        "CallingBoxListAgentsOperator",
        "CallingBoxExportRoutesOperator",
    )
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("vendor", "operator"), operators())
def test_each_operator_is_tried_in_each_way(place: str, vendor: str, operator: str) -> None:
    if (place, operator) in READS_ONLY:
        pytest.skip("it only reads")
    sources = "\n".join((TESTS / file).read_text(encoding="utf-8") for file in PLACES[place].split())
    without_imports = re.sub(r"^from .*? import (?:\(.*?^\)|[^\n]*)", "", sources, flags=re.M | re.S)
    assert re.search(rf"\b{operator}\b", without_imports), f"{operator} is not in {PLACES[place]}"
