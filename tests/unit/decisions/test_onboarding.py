"""Numbers that are to be onboarded, read from rows; and how many of them are created next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.onboarding import (
    COLUMNS,
    FIRST_BATCH,
    NumberWish,
    next_batch,
    parse_numbers,
)
from airflow_provider_phonelink.files.columns import rows_of

TRUNKS = ("c0000000-0000-4000-8000-000000000001", "c0000000-0000-4000-8000-000000000002")
ITEMS = st.fixed_dictionaries(
    {"phone_number": st.sampled_from([f"+1555000000{n}" for n in range(6)])},
    optional={
        "credentials_id": st.sampled_from(TRUNKS),
        "display_name": st.sampled_from(["A", "B"]),
        "registration": st.sampled_from([True, "no"]),
        "inbound_agent_id": st.sampled_from(["a", "b"]),
    },
)


def parsed(items: list[dict[str, Any]], **options: Any) -> tuple[list[NumberWish], list[Any]]:
    return parse_numbers(
        rows_of(items, COLUMNS, "numbers"), **{"credentials_id": TRUNKS[0], "registration": True, **options}
    )


@given(st.lists(ITEMS, max_size=8))
def test_each_number_is_there_once_and_has_all_that_its_rows_say(items) -> None:
    try:
        wishes, bad = parsed(items)
    except InvalidArgumentError as error:
        assert "contradict" in str(error)  # noqa: PT017 - the point is that it is for this reason
        said: dict[tuple[str, str, str], set[Any]] = {}
        for item in items:
            for name, value in item.items():
                key = (item["phone_number"], item.get("credentials_id", TRUNKS[0]), name)
                said.setdefault(key, set()).add(value)
        assert any(len(values) > 1 for (*_, name), values in said.items() if name != "credentials_id")
        return
    assert not bad
    assert len({wish.pair for wish in wishes}) == len(wishes)
    by_pair = {wish.pair: wish for wish in wishes}
    assert set(by_pair) == {(item["phone_number"], item.get("credentials_id", TRUNKS[0])) for item in items}
    for item in items:
        wish = by_pair[item["phone_number"], item.get("credentials_id", TRUNKS[0])]
        assert item.get("inbound_agent_id") in (None, wish.inbound_agent_id)
        assert item.get("display_name") in (None, wish.display_name)
        assert item.get("registration") in (None, wish.registration, "no" if not wish.registration else None)


@given(st.lists(ITEMS, max_size=6), st.randoms())
def test_the_order_of_the_rows_does_not_matter(items, random) -> None:
    def outcome(rows: list[dict[str, Any]]) -> object:
        try:
            return {replace(wish, place="") for wish in parsed(rows)[0]}
        except InvalidArgumentError:
            return "refused"

    shuffled = list(items)
    random.shuffle(shuffled)
    assert outcome(shuffled) == outcome(items)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (
            {"phone_number": "1.5551E+10"},
            "number 2, phone_number: '1.5551E+10' is a number in scientific notation",
        ),
        ({"phone_number": ""}, "number 2, phone_number: is missing"),
        ({"phone_number": "+1", "credentials_id": "x"}, "number 2, credentials_id: 'x' is not a uuid"),
        ({"phone_number": "+1", "inbound_agent_id": "../x"}, "number 2, inbound_agent_id: "),
        (
            {"phone_number": "+1", "outbound_agent_id": "#REF!"},
            "number 2, outbound_agent_id: '#REF!' is what a spreadsheet shows in place of a value",
        ),
        ({"phone_number": "+1", "registration": "perhaps"}, "number 2, registration: "),
        ({"phone_number": 15550100001}, "number 2, phone_number: 15550100001 is int, not text"),
    ],
)
def test_a_row_that_cannot_be_used_does_not_stop_the_others(item, reason) -> None:
    wishes, [row] = parsed([{"phone_number": "+15550000000"}, item])
    assert [wish.phone_number for wish in wishes] == ["+15550000000"]
    assert row.reason.startswith(reason)
    assert (row.id, row.step) == (None, None)


def test_rows_that_write_one_number_in_two_notations_are_one_number() -> None:
    items = [
        {"phone_number": "15550100001", "inbound_agent_id": "a"},
        {"phone_number": "+1 (555) 010-0001", "outbound_agent_id": "b"},
        {"phone_number": "+15550100001", "credentials_id": TRUNKS[1]},
    ]
    [wish, other], [] = parsed(items)
    assert (wish.phone_number, wish.inbound_agent_id, wish.outbound_agent_id) == ("15550100001", "a", "b")
    [warning] = wish.notations
    assert warning.startswith(
        "number 1 and number 2 are one number in two notations, 15550100001 and +1 (555) 010-0001"
    )
    assert (other.phone_number, other.notations) == ("+15550100001", ())
    with pytest.raises(InvalidArgumentError, match="number 1 and number 2 contradict each other"):
        parsed([items[0], {**items[1], "inbound_agent_id": "c"}])


def test_nobodys_credentials_are_an_error_of_all() -> None:
    with pytest.raises(InvalidArgumentError, match="no number names its credentials_id"):
        parsed([{"phone_number": "+1"}], credentials_id=None)


COUNTS = st.integers(0, 5000)


@given(missing=COUNTS, created=COUNTS, undecided=COUNTS)
def test_the_next_batch(missing, created, undecided) -> None:
    undecided = min(undecided, created)
    assert next_batch(missing, created, undecided, None) == missing
    limited = next_batch(missing, created, undecided, parse_max_changes("5%"))
    assert 0 <= limited <= min(missing, max(FIRST_BATCH, created - undecided))
    if not undecided and missing:
        assert limited > 0, "nothing is waited for that could let it go on"


def test_one_agent_in_two_cases_is_no_contradiction() -> None:
    agent = "aaaaaaaa-0000-4000-8000-00000000000a"
    items = [
        {"phone_number": "+15550000001", "inbound_agent_id": agent},
        {"phone_number": "+15550000001", "inbound_agent_id": agent.upper(), "outbound_agent_id": agent},
    ]
    [wish], [] = parsed(items)
    assert (wish.inbound_agent_id, wish.outbound_agent_id) == (agent, agent)
    with pytest.raises(InvalidArgumentError, match="but an agent has one"):
        parsed([*items, {"phone_number": "+15550000002", "outbound_agent_id": agent.upper()}])


@pytest.mark.parametrize(
    ("word", "meant"), [("WAHR", True), ("FALSCH", False), ("Vrai", True), ("ЛОЖЬ", False)]
)
def test_what_a_spreadsheet_of_another_language_makes_of_a_truth_value(word, meant) -> None:
    [wish], [] = parsed([{"phone_number": "+15550000001", "registration": word}])
    assert wish.registration is meant


@pytest.mark.parametrize(
    "phone_number", ["# spare", "phone_number, x", "+15550000001;Sales", "['+15550000001']"]
)
def test_a_line_that_is_no_number_is_a_row_of_its_own_that_says_so(phone_number) -> None:
    [_], [row] = parsed([{"phone_number": "+15550000002"}, {"phone_number": phone_number}])
    assert row.reason.startswith("number 2, phone_number: ")
