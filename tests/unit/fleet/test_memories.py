"""Memories of rotations: what a run did is known from them once its own results are gone."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run
from airflow_provider_phonelink.fleet.changes import Origin, PastChange
from airflow_provider_phonelink.fleet.memories import changes_of, parsed
from airflow_provider_phonelink.fleet.wishes import parsed as parsed_wishes
from airflow_provider_phonelink.operators.rotation_memory import variable_of

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def remembered():
    """Seen first, then rotated by two runs, the second of which has not succeeded yet."""
    memory = Memory().seen("n0", START)
    for day in (1, 2):
        at = START + timedelta(days=day)
        run = Run("dag", "rotate", f"run {day}", at)
        memory = memory.choosing(f"n{day}", run, at, previous=f"n{day - 1}", phone_number=f"+{day}")
        memory = memory.done_by(run) if day == 1 else memory
    return parsed(variable_of("dasha_default", "agent-a"), json.dumps(memory.as_json()))


def test_what_a_run_did_is_a_change() -> None:
    expected = PastChange(
        at=START + timedelta(days=1),
        vendor="dasha",
        conn_id="dasha_default",
        number_id="n1",
        phone_number="+1",
        mode="outbound",
        agent_id="agent-a",
        previous_number_id="n0",
        origin=Origin("dag", "run 1", "rotate"),
    )
    assert changes_of([remembered()], {"dasha_default": "dasha"}, []) == [expected]


def test_what_the_task_told_itself_is_not_told_again() -> None:
    told = PastChange(
        at=START + timedelta(days=1, seconds=1),
        vendor="dasha",
        number_id="n1",
        mode="replaceOutbound",
        agent_id="agent-a",
        origin=Origin("dag", "run 1", "rotate", 3),
    )
    assert changes_of([remembered()], {"dasha_default": "dasha"}, [told]) == []


def test_a_connection_that_one_may_not_see_has_no_memory() -> None:
    assert changes_of([remembered()], {"other": "dasha"}, []) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("phonelink_rotation__a__b", "junk"),
        ("phonelink_rotation__a__b", "[]"),
        ("phonelink_rotation__digest", "{}"),
        ("phonelink_rotation__a__b", "[" * 100_000),
    ],
)
def test_what_cannot_be_read_is_left_out(key, text) -> None:
    assert parsed(key, text) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"dag_id": "\ud800"},
        {"conn_id": "a\nb"},
        {"links": [["n", "\ud800", "inbound"]]},
        {"links": [["n", {"a": 1}, "inbound"]]},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "2026-01-01T00:00:00"},
    ],
)
def test_wishes_that_cannot_be_read_are_left_out(broken) -> None:
    wish = {"conn_id": "c", "dag_id": "d", "at": START.isoformat(), "links": [["n", "a", "inbound"]]}
    assert len(list(parsed_wishes(json.dumps(wish)))) == 1
    assert list(parsed_wishes(json.dumps({**wish, **broken}))) == []


def test_wishes_that_are_nested_too_deeply_are_left_out() -> None:
    assert list(parsed_wishes("[" * 100_000)) == []
