from __future__ import annotations

from typing import Any

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import CREDENTIALS, OTHER_CREDENTIALS, PROVIDER, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.dasha.models import AffectedAgents
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.api.dasha.reads import (
    READINGS,
    all_numbers,
    find_number,
    next_numbers,
    read_numbers,
)

LIST = "/sip-phone-numbers"


def organisation(count: int, **options: Any) -> FakeDasha:
    return FakeDasha(*[number_json(index) for index in range(count)], **options)


def ids(numbers: Any) -> list[str]:
    return [number.id for number in numbers]


@pytest.fixture
def small_pages(monkeypatch) -> int:
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 10)
    return 10


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 100, 305])
def test_all_numbers_are_read_in_the_largest_pages(carry_out, small_pages, count) -> None:
    vendor = organisation(count)
    assert ids(carry_out(all_numbers(), vendor=vendor)) == [number_id(index) for index in range(count)]
    # A last page that is full might not be the last: one more, which is empty, tells.
    assert len(vendor.requests) == count // small_pages + 1


@pytest.mark.parametrize("largest_page", [1, 7, 10, 50])
def test_a_vendor_may_give_smaller_pages(carry_out, small_pages, largest_page) -> None:
    vendor = organisation(61, largest_page=largest_page)
    assert len(carry_out(all_numbers(), vendor=vendor)) == 61


def test_a_page_has_a_thousand_numbers(carry_out) -> None:
    vendor = organisation(3)
    seen = []

    def watched(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.url.params))
        return vendor(request)

    carry_out(all_numbers(), vendor=watched)
    assert seen == [{"skip": "0", "take": "1000"}]


@pytest.mark.parametrize("count", [0, 9, 25, 30])
def test_a_count_of_the_page_alone_does_not_hide_the_rest_of_a_list(carry_out, small_pages, count) -> None:
    fake = organisation(count)

    def counting_the_page(request: httpx.Request) -> httpx.Response:
        page = fake(request).json()
        return httpx.Response(200, json={**page, "totalCount": len(page["items"])})

    try:
        found = carry_out(all_numbers(), vendor=counting_the_page)
    except errors.UnreadableAnswerError:
        return
    assert ids(found) == wanted(*range(count))


def test_a_list_that_contradicts_itself_is_read_again(carry_out) -> None:
    vendor = organisation(3)
    wrong = {"items": [number_json(1)], "totalCount": 3, "skip": 0, "take": 1000}
    vendor.on("GET", LIST, *[faults.status(200, json=wrong)] * 2)
    assert len(carry_out(all_numbers(), vendor=vendor)) == 3


def test_a_list_that_goes_on_contradicting_itself_is_an_error(carry_out) -> None:
    vendor = organisation(3)
    wrong = {"items": [number_json(1)], "totalCount": 3, "skip": 0, "take": 1000}
    vendor.on("GET", LIST, *[faults.status(200, json=wrong)] * 100)
    with pytest.raises(errors.UnreadableAnswerError, match="the list says it has 3 numbers"):
        carry_out(all_numbers(), vendor=vendor)
    assert READINGS <= len(vendor.requests) <= READINGS * 3


def test_a_number_with_an_empty_agent_is_linked_to_nobody(carry_out) -> None:
    vendor = FakeDasha(number_json(1, incomingCallsAgentId=""))
    assert ids(carry_out(all_numbers(unlinked_only=True), vendor=vendor)) == wanted(1)


AGENT_A = {"incomingCallsAgentId": "agent-a"}
MIXED = [
    number_json(1, **AGENT_A),
    number_json(2, phoneNumber="+15550000001 ext"),
    number_json(3, providerId=PROVIDER.upper()),
    number_json(4, incomingCallsAgentId="agent-b"),
]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"phone_number": "+15550000001"}, [1]),
        ({"linked_agent_id": "agent-a"}, [1]),
        ({"linked_agent_id": "Agent-A"}, []),
        ({"unlinked_only": True}, [2, 3]),
        ({"unlinked_only": "True"}, [2, 3]),
        ({"unlinked_only": False}, [1, 2, 3, 4]),
        ({"linked_agent_id": "agent-a", "unlinked_only": True}, []),
        ({"phone_number": "+15550000001", "linked_agent_id": "agent-b"}, []),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_the_vendors_matches_are_checked_again(carry_out, filters, found, exact) -> None:
    vendor = FakeDasha(*MIXED, exact_filter=exact)
    assert ids(carry_out(all_numbers(**filters), vendor=vendor)) == [number_id(index) for index in found]


def test_a_provider_is_the_same_in_upper_case(carry_out) -> None:
    assert ids(carry_out(all_numbers(provider_id=PROVIDER), vendor=FakeDasha(*MIXED))) == [number_id(3)]


@pytest.mark.parametrize(
    "filters",
    [
        {"phone_number": ""},
        {"phone_number": "None"},
        {"linked_agent_id": "../x"},
        {"unlinked_only": "maybe"},
        {"provider_id": "x"},
    ],
)
def test_a_bad_filter_sends_nothing(carry_out, filters) -> None:
    vendor = FakeDasha()
    with pytest.raises(errors.InvalidArgumentError, match=next(iter(filters))):
        carry_out(all_numbers(**filters), vendor=vendor)
    assert vendor.requests == []


@pytest.mark.parametrize("exact", [True, False])
def test_a_number_is_found_by_its_pair(carry_out, exact) -> None:
    vendor = FakeDasha(
        number_json(1, phoneNumber="+1", credentialsId=OTHER_CREDENTIALS),
        number_json(2, phoneNumber="+1", credentialsId=CREDENTIALS.upper()),
        number_json(3, phoneNumber="+11"),
        exact_filter=exact,
    )
    assert carry_out(find_number("+1", CREDENTIALS), vendor=vendor).id == number_id(2)
    assert carry_out(find_number("+1", CREDENTIALS.upper()), vendor=vendor).id == number_id(2)
    assert carry_out(find_number("+2", CREDENTIALS), vendor=vendor) is None


def test_two_with_the_same_pair_are_an_error_that_names_both(carry_out) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="+1"), number_json(2, phoneNumber="+1"))
    with pytest.raises(errors.PromiseError, match=rf"2 times.*{number_id(1)}, {number_id(2)}"):
        carry_out(find_number("+1", CREDENTIALS), vendor=vendor)


@pytest.mark.parametrize(
    ("phone_number", "credentials_id"),
    [(None, CREDENTIALS), ("", CREDENTIALS), ("+1", None), ("+1", "x"), ("+1", "None")],
)
def test_half_a_pair_finds_nothing_and_sends_nothing(carry_out, phone_number, credentials_id) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="+1"))
    with pytest.raises(errors.InvalidArgumentError):
        carry_out(find_number(phone_number, credentials_id), vendor=vendor)
    assert vendor.requests == []


def wanted(*indices: int) -> list[str]:
    return [number_id(index) for index in indices]


def test_one_number_is_read_by_itself(carry_out) -> None:
    vendor = organisation(3)
    reading = carry_out(read_numbers(wanted(1)), vendor=vendor)
    assert reading.numbers[number_id(1)].id == number_id(1)
    assert vendor.requests == [f"GET /api/v1/sip-phone-numbers/{number_id(1)}"]


def test_many_numbers_are_read_by_pages(carry_out) -> None:
    vendor = organisation(200)
    reading = carry_out(read_numbers(wanted(*range(0, 200, 2))), vendor=vendor)
    assert list(reading.numbers) == wanted(*range(0, 200, 2))
    assert (len(vendor.requests), reading.total, len(reading.listed)) == (1, 200, 200)


def test_few_numbers_of_a_large_organisation_are_read_singly(carry_out, small_pages) -> None:
    vendor = organisation(1000)
    reading = carry_out(read_numbers(wanted(998, 999)), vendor=vendor)
    assert all(reading.numbers.values())
    assert len(vendor.requests) == 3
    vendor.requests.clear()
    carry_out(read_numbers(wanted(998, 999), known_total=1000), vendor=vendor)
    assert len(vendor.requests) == 2


def test_a_number_that_the_list_misses_is_read_singly(carry_out) -> None:
    vendor = organisation(3)
    items = [number_json(0), number_json(1)]
    vendor.on(
        "GET", LIST, faults.status(200, json={"items": items, "totalCount": 2, "skip": 0, "take": 1000})
    )
    reading = carry_out(read_numbers(wanted(0, 1, 2)), vendor=vendor)
    assert all(reading.numbers.values())


@pytest.mark.parametrize("others", [[], [0], [0, 1]])
def test_a_number_that_is_gone_is_none(carry_out, others) -> None:
    reading = carry_out(read_numbers(wanted(*others, 9)), vendor=organisation(3))
    assert reading.numbers[number_id(9)] is None
    assert [id_ for id_, number in reading.numbers.items() if number] == wanted(*others)
    assert reading.errors == {}


@pytest.mark.parametrize("number_id_", ["pn-1", "../x", ""])
def test_what_is_no_uuid_is_gone_unless_it_is_listed(carry_out, number_id_) -> None:
    vendor = organisation(3)
    reading = carry_out(read_numbers([number_id_, number_id(1)], everything=True), vendor=vendor)
    assert (reading.numbers[number_id_], reading.errors) == (None, {})
    assert reading.numbers[number_id(1)]
    assert len(vendor.requests) == 1
    with pytest.raises(errors.InvalidArgumentError):
        carry_out(read_numbers([number_id_]), vendor=vendor)


def test_a_number_that_cannot_be_read_does_not_hide_the_others(carry_out, small_pages) -> None:
    vendor = organisation(1000)
    vendor.on("GET", number_id(998), *[faults.status(500)] * 100)
    reading = carry_out(read_numbers(wanted(998, 999)), vendor=vendor, settings=dasha_settings(max_retries=1))
    assert list(reading.numbers) == wanted(999)
    assert isinstance(reading.errors[number_id(998)], errors.ServerError)


def test_a_key_that_is_refused_ends_the_reading(carry_out) -> None:
    vendor = organisation(3)
    vendor.on("GET", "", faults.status(401))
    with pytest.raises(errors.AuthenticationError):
        carry_out(read_numbers(wanted(1)), vendor=vendor)


def test_a_number_that_the_key_may_not_see_is_that_numbers_error(carry_out) -> None:
    vendor = organisation(3)
    vendor.on("GET", number_id(1), faults.status(403))
    reading = carry_out(read_numbers(wanted(1)), vendor=vendor)
    assert reading.numbers == {}
    assert isinstance(reading.errors[number_id(1)], errors.AccessDeniedError)


def test_ids_are_wanted_once(carry_out) -> None:
    vendor = organisation(3)
    assert list(carry_out(read_numbers(wanted(1, 1, 1)), vendor=vendor).numbers) == wanted(1)
    assert len(vendor.requests) == 1


def test_a_list_can_be_read_page_by_page(carry_out, small_pages) -> None:
    vendor, listing, found = organisation(25), Listing(keep=False), []
    while listing.goes_on:
        found += ids(carry_out(next_numbers(listing), vendor=vendor))
    assert found == wanted(*range(25))
    assert listing.numbers == {}
    assert len(vendor.requests) == 3


def test_a_page_by_page_list_that_contradicts_itself_is_an_error(carry_out) -> None:
    vendor = organisation(3)
    vendor.on("GET", LIST, faults.status(200, json={"items": [], "totalCount": 3, "skip": 0, "take": 1000}))
    with pytest.raises(errors.UnreadableAnswerError, match="says it has 3 numbers"):
        carry_out(next_numbers(Listing(keep=False)), vendor=vendor)


def test_a_number_that_no_agent_uses_may_have_null_for_a_list(carry_out) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on(
        "GET", "/affected-agents", faults.status(200, json={"id": number_id(1), "affectedAgents": None})
    )
    affected = carry_out(endpoints.affected_agents(number_id(1)), vendor=vendor)
    assert (affected.outbound, affected.maybe_outbound) == (set(), set())


@pytest.mark.parametrize(
    ("uses", "certain", "possible"),
    [
        (["inbound"], set(), set()),
        (["Inbound"], set(), set()),
        ([], set(), set()),
        (["outbound"], {"a"}, set()),
        (["replaceOutbound"], {"a"}, set()),
        (["OUTBOUND", "inbound"], {"a"}, set()),
        (["campaign"], set(), {"a"}),
        (["inbound", "campaign"], set(), {"a"}),
        (["outbound", "campaign"], {"a"}, set()),
    ],
)
def test_outbound_agents_are_certain_or_possible(uses, certain, possible) -> None:
    affected = AffectedAgents.model_validate({"id": "n", "affectedAgents": [{"agentId": "a", "uses": uses}]})
    assert (affected.outbound, affected.maybe_outbound) == (certain, possible)
