"""Rows: each view shows what it asks for, and its address leads to the same view again."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber
from airflow_provider_phonelink.decisions.registration import Verdict
from airflow_provider_phonelink.fleet.changes import PastChange
from airflow_provider_phonelink.fleet.rows import ROWS_ON_A_PAGE, View, cut, rows_of
from airflow_provider_phonelink.fleet.wishes import Wish, latest, parsed

FLEET = Fleet(
    numbers=(
        FleetNumber(
            id="1", phone_number="+15550100", name="Berlin", verdict=Verdict.ACTIVE, inbound_agent_id="a"
        ),
        FleetNumber(id="2", phone_number="+15550101", verdict=Verdict.FAILED, outbound_agent_ids=("a", "b")),
        FleetNumber(id="3", phone_number="+15550102", verdict=Verdict.WAITING, inbound_agent_id="b"),
        FleetNumber(id="4", phone_number=None, state="odd"),
    ),
    agent_names={"a": "Support"},
)
CHANGES = {
    ("one", id_): PastChange(at=datetime(2026, 1, day, tzinfo=timezone.utc), vendor="dasha", number_id=id_)
    for id_, day in (("1", 2), ("3", 5))
}
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
WISHES = latest(
    [
        Wish("one", "1", "a", True, AT, "dag"),
        Wish("one", "2", "b", False, AT, "dag"),
        Wish("one", "2", "c", False, AT, "dag"),
        Wish("one", "3", "b", True, AT, "dag"),
        Wish("one", "3", "a", True, AT + timedelta(days=1), "later"),
    ]
)
ROWS = [*rows_of("one", "dasha", FLEET, CHANGES, WISHES), *rows_of("two", "callingbox", FLEET, {}, {})]


def shown(**parameters: str) -> list[str]:
    return [row.number.id for row in View.of({"connection": "one", **parameters}).select(ROWS)]


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({}, ["4", "1", "2", "3"]),
        ({"search": "berlin"}, ["1"]),
        ({"search": "SUPPORT"}, ["1", "2"]),
        ({"search": "+1 (555) 010-2"}, ["3"]),
        ({"search": "0015550102"}, ["3"]),
        ({"search": "tel:+1-555-0102"}, ["3"]),
        ({"search": "sip:+15550102@pbx.example"}, ["3"]),
        ({"search": "+1\u00a0555\u20110102"}, ["3"]),
        ({"search": "\uff11\uff15\uff15\uff15\uff10\uff11\uff10\uff12"}, ["3"]),
        ({"search": "tel:+15550102;ext=1"}, []),
        ({"search": "odd"}, ["4"]),
        ({"search": "nobody"}, []),
        ({"verdict": "failed"}, ["2"]),
        ({"agent": "b"}, ["2", "3"]),
        ({"unanswered": "1"}, ["4", "2"]),
        ({"vendor": "callingbox"}, []),
        ({"sort": "-phone_number"}, ["3", "2", "1", "4"]),
        ({"sort": "verdict"}, ["2", "3", "1", "4"]),
        ({"sort": "inbound"}, ["3", "1", "2", "4"]),
        ({"sort": "outbound"}, ["2", "1", "3", "4"]),
        ({"sort": "changed"}, ["3", "1", "2", "4"]),
        ({"drift": "1"}, ["2", "3"]),
        ({"sort": "drift"}, ["2", "3", "1", "4"]),
        ({"sort": "name"}, ["1", "2", "3", "4"]),
    ],
)
def test_a_view_shows_what_it_asks_for(parameters, ids) -> None:
    assert shown(**parameters) == ids


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "search",
                "verdict",
                "agent",
                "vendor",
                "connection",
                "unanswered",
                "drift",
                "sort",
                "page",
                "else",
            ]
        ),
        st.one_of(
            st.sampled_from(["1", "failed", "dasha", "-verdict", "name", "0", "99999999999", "²"]), st.text()
        ),
    )
)
def test_an_address_leads_to_the_same_view_again(parameters) -> None:
    view = View.of(parameters)
    view.select(ROWS)
    assert View.of(dict(parse_qsl(view.query()))) == view


def test_sorting_again_reverses() -> None:
    view = View.of({"sort": "verdict"})
    assert view.sorted_by("verdict") == "sort=-verdict"
    assert view.sorted_by("name") == "sort=name"


def test_a_page_too_far_is_the_last_one() -> None:
    rows = rows_of("one", "dasha", Fleet(numbers=(FLEET.numbers[0],) * (ROWS_ON_A_PAGE + 1)), {}, {})
    assert [len(cut(rows, page)[0]) for page in (1, 2, 3)] == [ROWS_ON_A_PAGE, 1, 1]
    assert cut([], 1) == ([], 1)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"at": 1}', '{"at": "2026-01-01", "conn_id": "", "dag_id": "", "links": [1]}'],
)
def test_a_variable_that_somebody_edited_wishes_for_nothing(text) -> None:
    assert list(parsed(text)) == []
