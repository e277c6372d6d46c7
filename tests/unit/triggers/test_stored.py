"""Every trigger's way through Airflow's database: rows as they are, as they were, and as they should not be."""

from __future__ import annotations

import importlib
import inspect
from contextlib import suppress
from typing import Any

import pytest
from airflow.triggers.base import BaseEventTrigger, BaseTrigger
from airflow_harness.logs import captured
from airflow_harness.rows import (
    encoded_for_watcher,
    through_serialized_dag,
    through_task_row,
    through_watcher_row,
    watcher_hashes,
)
from airflow_harness.tasks import run_trigger
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.get_provider_info import get_provider_info
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger, DashaRegistrationTrigger

IDS = [f"5a3b2f0e-7c1d-4a55-9f6b-0d4e8a1b2c{i:02d}" for i in range(12)]
POOL = {"provider_id": IDS[0], "display_name_prefix": "Campaign", "description_tag": "[eu]"}
WAIT = {"phone_number_ids": IDS[:2], "dasha_conn_id": "one", "deadline": 9e9, "poll_interval": 10.0}

#: Of each trigger: arguments as an author or an operator may give them.
CASES: dict[type[BaseTrigger], list[dict[str, Any]]] = {
    DashaRegistrationEventTrigger: [
        {"pool": POOL},
        {"pool": dict(reversed(POOL.items())), "transitions": "recovered, lost", "poll_interval": 5},
        {
            "phone_number_ids": IDS[3].upper(),
            "active_states": ("Registered", "OK"),
            "failed_states": {"Failed"},
        },
        {"phone_number_ids": set(IDS), "transitions": {"lost", "failed"}, "dasha_conn_id": "other"},
    ],
    DashaRegistrationTrigger: [
        WAIT,
        {**WAIT, "active_states": ("Registered",), "failed_states": {"Failed", "Gone"}},
        {**WAIT, "failed_for": 60.0, "failing_since": {IDS[0]: 5.0, IDS[1]: 7.5}},
        {**WAIT, "active_states": "Registered, OK", "exponential_backoff": True, "max_wait": 60.0},
    ],
}
EVERY_CASE = [
    pytest.param(kind, case, id=f"{kind.__name__}-{i}")
    for kind in CASES
    for i, case in enumerate(CASES[kind])
]
WATCHERS = [case for case in EVERY_CASE if issubclass(case.values[0], BaseEventTrigger)]  # type: ignore[arg-type]


def test_every_trigger_of_the_provider_is_here() -> None:
    modules = [name for entry in get_provider_info()["triggers"] for name in entry["python-modules"]]
    found = {
        value
        for name in modules
        for value in vars(importlib.import_module(name)).values()
        if inspect.isclass(value) and issubclass(value, BaseTrigger)
    }
    assert found - {BaseTrigger, BaseEventTrigger} == set(CASES)


# --- as they should be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "case"), EVERY_CASE)
def test_the_arguments_of_a_deferred_task_come_back(kind: type[BaseTrigger], case: dict[str, Any]) -> None:
    trigger = kind(**case)
    row = through_task_row(trigger)
    assert row == trigger.serialize()[1]
    assert kind(**row).serialize() == trigger.serialize()


@pytest.mark.parametrize(("kind", "case"), WATCHERS)
def test_the_arguments_of_a_watcher_come_back(kind: type[BaseEventTrigger], case: dict[str, Any]) -> None:
    trigger = kind(**case)
    row = through_watcher_row(trigger)
    assert row == trigger.serialize()[1]
    again = kind(**row)
    assert again.serialize() == trigger.serialize()
    assert {**vars(again)} == {**vars(trigger)}


@pytest.mark.parametrize(("kind", "case"), WATCHERS)
def test_the_row_of_a_watcher_stays_from_parse_to_parse(
    kind: type[BaseEventTrigger], case: dict[str, Any]
) -> None:
    in_file, in_row = watcher_hashes(kind(**case))
    assert in_file == in_row
    assert watcher_hashes(kind(**kind(**case).serialize()[1])) == (in_file, in_row)


@given(order=st.randoms())
def test_the_order_of_a_set_or_a_dict_makes_no_other_row(order: Any) -> None:
    def shuffled(items: Any) -> list[Any]:
        return order.sample([*items], len(items))

    def trigger(**whose: Any) -> DashaRegistrationEventTrigger:
        states = shuffled(["Registered", "OK"])
        transitions = shuffled(["lost", "recovered"])
        return DashaRegistrationEventTrigger(
            transitions=transitions, active_states=states, failed_states=states, **whose
        )

    assert trigger(phone_number_ids=shuffled(IDS)).serialize() == trigger(phone_number_ids=IDS).serialize()
    assert trigger(pool=dict(shuffled(POOL.items()))).serialize() == trigger(pool=POOL).serialize()


@pytest.mark.parametrize(("kind", "case"), WATCHERS)
def test_a_watcher_in_a_serialized_dag_is_read_as_it_was(kind: Any, case: dict[str, Any]) -> None:
    from airflow.sdk import DAG, Asset, AssetWatcher

    watcher = AssetWatcher(name="w", trigger=kind(**case))
    with DAG("watched", schedule=[Asset("x", uri="x://x", watchers=[watcher])]) as dag:
        pass
    [(_, asset)] = through_serialized_dag(dag).timetable.asset_condition.iter_assets()
    [read] = asset.watchers
    assert kind(**through_watcher_row(read.trigger)).serialize() == kind(**case).serialize()


# --- as they were ---------------------------------------------------------------------------------------------------

#: How rows of this provider's first version come to the constructor, by the Airflow.
EARLIER: dict[str, Any] = {
    "phone_number_ids": None,
    "transitions": ["lost"],
    "poll_interval": 10,
    "dasha_conn_id": "one",
}
MANGLED = {
    "a dict": POOL,
    "3.2, unwrapped by nobody": {"Encoding.VAR": POOL, "Encoding.TYPE": "dict"},
    "wrapped": {"__var": POOL, "__type": "dict"},
    "wrapped twice": {"Encoding.VAR": {"__var": POOL, "__type": "dict"}, "Encoding.TYPE": "dict"},
}


@pytest.mark.parametrize("pool", MANGLED.values(), ids=MANGLED)
def test_a_row_of_an_earlier_form_is_read(pool: dict[str, Any]) -> None:
    trigger = DashaRegistrationEventTrigger(**{**EARLIER, "pool": pool})
    assert trigger.pool == POOL
    assert trigger.problem is None
    assert dict(trigger.serialize()[1]["pool"]) == POOL


def test_a_row_of_the_earlier_form_is_read_on_this_airflow() -> None:
    classpath = DashaRegistrationEventTrigger(pool=POOL).serialize()[0]
    row = through_watcher_row(
        encoded_for_watcher({"classpath": classpath, "kwargs": {**EARLIER, "pool": POOL}})
    )
    assert DashaRegistrationEventTrigger(**row).pool == POOL


# --- as they should not be ------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(IDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        10**400,
        float("nan"),
        float("inf"),
        "",
        "None",
        "30",
        "\ud800",
        [],
        {},
        [[]],
        [None],
    ),
    *([["display_name_prefix"]], [["display_name_prefix", None]], [[[], "x"]], [["name", "x"]], [POOL]),
    *({"Encoding.VAR": None, "Encoding.TYPE": "dict"}, {"Encoding.VAR": POOL}, {"__type": "dict"}),
    *({"Encoding.VAR": [["x"]], "Encoding.TYPE": "tuple"}, {"provider_id": {"__var": 1, "__type": "set"}}),
)
STORED_WAYS = [
    pytest.param(kind, name, id=f"{kind.__name__}-{name}")
    for kind in CASES
    for name in kind(**CASES[kind][0]).serialize()[1]
]


def odd_row(kind: type[BaseTrigger], name: str, value: Any) -> dict[str, Any]:
    return {**kind(**CASES[kind][0]).serialize()[1], name: value}


@pytest.mark.parametrize(("kind", "name"), STORED_WAYS)
@settings(max_examples=40)
@given(value=JSON)
def test_no_stored_row_ends_a_triggerer(kind: type[BaseTrigger], name: str, value: Any) -> None:
    row = odd_row(kind, name, value)
    for arguments in (row, {key: row[key] for key in row if key != "stored"}):
        with suppress(TypeError):  # Airflow fails this trigger alone
            kind(**arguments).serialize()


@pytest.mark.parametrize(("kind", "name"), STORED_WAYS)
def test_no_odd_row_ends_a_triggerer(kind: type[BaseTrigger], name: str) -> None:
    for value in ODD:
        test_no_stored_row_ends_a_triggerer.hypothesis.inner_test(kind, name, value)


@pytest.mark.parametrize("kind", CASES)
def test_a_row_of_a_later_version_is_a_type_error(kind: type[BaseTrigger]) -> None:
    row = kind(**CASES[kind][0]).serialize()[1]
    with pytest.raises(TypeError):
        kind(**row, of_a_later_version=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone_number_ids", IDS[:1]),
        ("pool", [["name", "x"]]),
        ("pool", {"Encoding.VAR": None, "Encoding.TYPE": "dict"}),
        ("pool", 7),
        ("transitions", ["gone"]),
        ("poll_interval", "30"),
        ("poll_interval", float("nan")),
        ("poll_interval", 0),
        ("active_states", 5),
        ("dasha_conn_id", None),
    ],
)
def test_an_odd_row_of_a_watcher_is_logged_once_and_watches_nothing(name: str, value: Any) -> None:
    trigger = DashaRegistrationEventTrigger(**odd_row(DashaRegistrationEventTrigger, name, value))
    with captured() as log, pytest.raises(TimeoutError):
        run_trigger(trigger, timeout=0.1)
    [line] = [line for line in log.lines if "Nothing is watched" in line]
    assert line.startswith("ERROR")
    assert name in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone_number_ids", "x"),
        ("phone_number_ids", {"Encoding.VAR": [], "Encoding.TYPE": "set"}),
        ("dasha_conn_id", ["one"]),
        ("deadline", None),
        ("deadline", float("nan")),
        ("poll_interval", "10"),
        ("active_states", [None]),
        ("failed_states", 3),
        ("exponential_backoff", "perhaps"),
        ("max_wait", []),
    ],
)
def test_an_odd_row_of_a_wait_is_an_event_of_that_task(name: str, value: Any) -> None:
    trigger = DashaRegistrationTrigger(**odd_row(DashaRegistrationTrigger, name, value))
    [event] = run_trigger(trigger)
    assert event["status"] == "error"
    assert event["retry_helps"] is True
    assert name in event["message"]


# --- what the author sees -------------------------------------------------------------------------------------------


def test_an_author_sees_at_parse_time_what_is_wrong() -> None:
    with pytest.raises(InvalidArgumentError, match="poll_interval") as caught:
        DashaRegistrationEventTrigger(pool=POOL, poll_interval="30")  # type: ignore[arg-type]
    assert isinstance(caught.value, TypeError)
