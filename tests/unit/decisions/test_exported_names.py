"""What an export writes is read again, as the same number, whatever phone numbers a vendor has."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.files.test_writing import READERS

from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import ListedNumber
from airflow_provider_phonelink.decisions.routes import COLUMNS, parse_routes
from airflow_provider_phonelink.files.writing import as_csv, as_json, as_yaml
from airflow_provider_phonelink.promises.callingbox.routing import RULES as CALLINGBOX
from airflow_provider_phonelink.promises.dasha.routing import RULES as DASHA

SPOILT = [
    "'+15550100009",
    " +15550100009",
    "+15550100009\u200b",
    "15550100009.0",
    "15,550,100,009",
    "1.5551E+10",
    '=HYPERLINK("http://x")',
    '"+15550100009"',
    "nan",
    "None",
    "-",
    "~",
    "[x]",
    "{{ x }}",
    "",
    None,
]
PLAIN = [
    "+15550100009",
    "0800 123456",
    "*21#",
    "sip:'alice'@example.org",
    "reception, 2",
    "agent's",
    "no",
]
PHONE_NUMBERS = st.sampled_from([*SPOILT, *PLAIN]) | st.text(
    st.characters(exclude_categories=()), max_size=12
)
IDS = {DASHA: [str(UUID(int=10 + i)) for i in range(6)], CALLINGBOX: [f"pn_{i}" for i in range(6)]}
WRITERS = {
    "csv": lambda routes: as_csv(routes, ("number", "agent_id", "mode")),
    "json": as_json,
    "yaml": as_yaml,
}


def read_again(directory, rules, form):
    """The ids of the numbers that an exported file names."""
    routes = [
        {"number": directory.plain_name(id_), "agent_id": "agent-support", "mode": "inbound"}
        for id_ in directory.numbers
    ]
    read = READERS[form](WRITERS[form](routes), COLUMNS, argument="routes", where="f")
    return [directory.find(route.number, is_id=route.is_id) for route in parse_routes(read, rules)]


@pytest.mark.parametrize("rules", [DASHA, CALLINGBOX], ids=["dasha", "callingbox"])
@pytest.mark.parametrize("form", READERS)
@given(st.data())
def test_what_is_exported_is_read_again_as_the_same_numbers(rules, form, data) -> None:
    ids = IDS[rules]
    phone_numbers = data.draw(
        st.lists(
            PHONE_NUMBERS | st.sampled_from([ids[0], ids[1].upper()]), min_size=len(ids), max_size=len(ids)
        )
    )
    directory = Directory(map(ListedNumber, ids, phone_numbers))
    assert read_again(directory, rules, form) == ids


@pytest.mark.parametrize("phone_number", SPOILT)
def test_a_spoilt_phone_number_is_exported_by_its_id(phone_number) -> None:
    assert Directory([ListedNumber("pn_1", phone_number)]).plain_name("pn_1") == "pn_1"


@pytest.mark.parametrize("phone_number", PLAIN)
def test_any_other_one_is_exported_as_it_is(phone_number) -> None:
    assert Directory([ListedNumber("pn_1", phone_number)]).plain_name("pn_1") == phone_number
