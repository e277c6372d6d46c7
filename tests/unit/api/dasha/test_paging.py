from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.api.fake_dasha import number_id, number_json

from airflow_provider_phonelink.api.dasha import paging
from airflow_provider_phonelink.api.dasha.models import PhoneNumberPage
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.api.errors import InconsistentListError

#: More pages than this for a list of at most 30 numbers would be as good as endless.
ENOUGH_PAGES = 200


def page(indices: list[int], total: int) -> PhoneNumberPage:
    return PhoneNumberPage.model_validate_json(
        json.dumps(
            {"items": [number_json(index) for index in indices], "totalCount": total, "skip": 0, "take": 1000}
        )
    )


def gathered(vendor: Any) -> list[int]:
    """Read a list from a vendor, a function of the offset that returns a page."""
    listing = Listing()
    for _ in range(ENOUGH_PAGES):
        if not listing.add(vendor(listing.skip)):
            return [int(number.phone_number[-7:]) for number in listing.numbers.values()]
    raise AssertionError("the list does not end")


@given(st.integers(0, 30), st.integers(1, 40))
def test_a_list_is_read_exactly_whatever_the_page_size(total, size) -> None:
    everything = list(range(total))
    assert gathered(lambda skip: page(everything[skip : skip + size], total)) == everything


@given(st.integers(1, 30), st.lists(st.integers(1, 7), min_size=1))
def test_pages_may_be_shorter_than_asked_for(total, sizes) -> None:
    everything, calls = list(range(total)), iter(sizes * total)
    assert gathered(lambda skip: page(everything[skip : skip + next(calls)], total)) == everything


@given(st.integers(2, 30), st.integers(1, 10), st.data())
def test_a_number_that_came_in_front_only_makes_one_come_twice(total, size, data) -> None:
    everything = list(range(total))
    when = data.draw(st.integers(1, total))
    calls = 0

    def vendor(skip: int) -> PhoneNumberPage:
        nonlocal calls
        if calls == when:
            everything.insert(0, 1000)
        calls += 1
        return page(everything[skip : skip + size], len(everything))

    try:
        found = gathered(vendor)
    except InconsistentListError:
        return
    assert sorted(found) in (list(range(total)), sorted(everything))


@given(st.integers(0, 30), st.integers(1, 10), st.integers(-5, 0))
def test_a_count_that_is_nothing_like_the_list_does_not_end_it(total, size, lie) -> None:
    everything = list(range(total))
    try:
        found = gathered(lambda skip: page(everything[skip : skip + size], lie))
    except InconsistentListError:
        assert lie < 0 or total >= 9 * size  # a few pages more than the count lets expect are read
    else:
        assert found == everything


@given(st.integers(0, 30), st.integers(1, 10), st.integers(1, 50))
def test_a_count_that_is_too_high_is_an_error(total, size, excess) -> None:
    everything = list(range(total))
    with pytest.raises(InconsistentListError, match=f"says it has {total + excess} numbers"):
        gathered(lambda skip: page(everything[skip : skip + size], total + excess))


def test_a_vendor_that_ignores_the_offset_is_an_error() -> None:
    with pytest.raises(
        InconsistentListError, match="says it has 5 numbers, but its pages gave 2 different ones"
    ):
        gathered(lambda _: page([1, 2], 5))


def test_a_vendor_that_ignores_the_offset_of_a_one_page_list_is_no_problem() -> None:
    assert gathered(lambda _: page([1, 2], 2)) == [1, 2]


def test_a_list_that_keeps_growing_is_an_error() -> None:
    with pytest.raises(InconsistentListError, match="does not end"):
        gathered(lambda skip: page([skip, skip + 1], skip + 3))


def test_a_list_that_never_ends_is_an_error() -> None:
    with pytest.raises(InconsistentListError, match="does not end"):
        gathered(lambda skip: page([skip, skip + 1], 1))


@given(st.integers(2, 30), st.integers(1, 10), st.data())
def test_a_list_that_shrinks_while_it_is_read_hides_no_number_that_stayed(total, size, data) -> None:
    everything = list(range(total))
    when = data.draw(st.integers(0, total // size))
    gone = data.draw(st.sampled_from(everything))

    def vendor(skip: int) -> PhoneNumberPage:
        if skip // size == when and gone in everything:
            everything.remove(gone)
        return page(everything[skip : skip + size], len(everything))

    try:
        found = gathered(vendor)
    except InconsistentListError:
        return
    assert set(everything) <= set(found)


def test_a_list_that_never_ends_is_an_error_however_high_its_count(monkeypatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 100)
    with pytest.raises(InconsistentListError, match="does not end: 100 numbers in 100 pages"):
        gathered(lambda skip: page([skip], 2_147_483_647))


def test_a_negative_count_is_not_called_endless() -> None:
    with pytest.raises(InconsistentListError, match="shrank"):
        Listing().add(page([1], -5))


def test_a_list_may_grow_while_it_is_read() -> None:
    everything = list(range(10))

    def vendor(skip: int) -> PhoneNumberPage:
        if skip == 4:
            everything.append(10)
        return page(everything[skip : skip + 2], len(everything))

    assert gathered(vendor) == everything


@settings(max_examples=3 * settings.default.max_examples)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 20), max_size=4), st.integers(-3, 40)), min_size=1, max_size=300
    )
)
def test_any_sequence_of_pages_ends(pages) -> None:
    supply = iter(pages * ENOUGH_PAGES)

    def vendor(_: int) -> PhoneNumberPage:
        indices, total = next(supply)
        return page(indices, total)

    try:
        found = gathered(vendor)
    except InconsistentListError:
        return
    assert len(found) == len(set(found))


def test_the_same_number_is_kept_once_whatever_the_case_of_its_id() -> None:
    listing = Listing()
    both = [number_json(1), {**number_json(1), "id": number_id(1).upper()}]
    listing.add(PhoneNumberPage.model_validate({"items": both, "totalCount": 1, "skip": 0, "take": 1}))
    assert len(listing.numbers) == 1
