from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.doctor.findings import Level, Sure
from airflow_provider_phonelink.doctor.phone_numbers import Known, duplicates, notations

WAYS = (
    lambda n: f"+1555010{n:04d}",
    lambda n: f"1555010{n:04d}",
    lambda n: f"+1 (555) 010-{n:04d}",
    lambda n: f"sip:+1555010{n:04d}@sip.example",
)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(WAYS), st.sampled_from("ab"))))
def test_a_number_exists_twice_where_its_digits_and_its_credentials_are_the_same(numbers) -> None:
    known = [Known(f"id-{place}", way(n), within) for place, (n, way, within) in enumerate(numbers)]
    finding = duplicates(known)
    keys = [(n, within) for n, _, within in numbers]
    assert (finding.level is Level.TO_DO) is (len(set(keys)) < len(keys))


def test_what_is_no_phone_number_is_compared_as_it_is() -> None:
    assert duplicates([Known("1", "reception"), Known("2", "desk")]).level is Level.OK
    assert duplicates([Known("1", "reception"), Known("2", "reception")]).level is Level.TO_DO


def test_the_twins_are_named_with_their_ids() -> None:
    finding = duplicates([Known("one", "+15550100001"), Known("two", "1 555 010 0001")])
    assert "+15550100001 (id one) = 1 555 010 0001 (id two)" in finding.seen


def test_a_vendor_that_stores_no_plus_shows_by_all_numbers() -> None:
    plus, digits = Known("1", "+15550100001"), Known("2", "15550100002")
    assert notations([plus, digits]).seen == "1 number: plus and digits, 1 number: digits only"
    assert (notations([plus, digits]).level, notations([digits]).level) == (Level.OK, Level.NOTE)
    assert notations([digits]).sure is Sure.LIKELY
    assert notations([]).sure is Sure.UNKNOWN
