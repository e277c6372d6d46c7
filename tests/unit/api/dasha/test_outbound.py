from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from unit.api.fake_dasha import number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.outbound import outbound_links, read_users, users_of

CREDENTIALS = [f"c{index}000000-0000-4000-8000-000000000000" for index in range(5)]


class Fleet:
    """Numbers spread over credentials, of which every tenth is an agent's caller ID."""

    def __init__(self, count: int, credentials: int, *, hidden: int = 0, refuses: int | None = None) -> None:
        self.numbers = [
            number_json(index, credentialsId=CREDENTIALS[index % credentials]) for index in range(count)
        ]
        self.hidden, self.refuses = hidden, refuses
        self.paths: list[str] = []
        #: The status of each answer about a number or a credential.
        self.failing: dict[str, int] = {}

    def users(self, number: dict[str, Any]) -> dict[str, Any]:
        index = self.numbers.index(number)
        used = [{"agentId": f"agent-{index}", "uses": ["outbound"]}] if index % 10 == 0 else []
        return {"id": number["id"], "phoneNumber": number["phoneNumber"], "affectedAgents": used}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        for about, status in self.failing.items():
            if about in request.url.path:
                return httpx.Response(status, json={"title": "no"})
        if by_credentials := re.fullmatch(r"/api/v1/sip-credentials/(.*)/affected-agents", request.url.path):
            if self.refuses:
                return httpx.Response(self.refuses, json={"title": "no"})
            shown = [number for number in self.numbers if number["credentialsId"] == by_credentials[1]]
            told = [self.users(number) for number in shown[self.hidden :]]
            return httpx.Response(200, json={"phoneNumbers": told, "affectedCallsCount": 0})
        if singly := re.fullmatch(r"/api/v1/sip-phone-numbers/(.*)/affected-agents", request.url.path):
            number = next((number for number in self.numbers if number["id"] == singly[1]), None)
            return httpx.Response(200, json=self.users(number)) if number else httpx.Response(404)
        skip, take = (int(request.url.params[name]) for name in ("skip", "take"))
        page = {"items": self.numbers[skip : skip + take], "totalCount": len(self.numbers)}
        return httpx.Response(200, json={**page, "skip": skip, "take": take})

    def credentials(self) -> dict[str, str]:
        return {number["id"]: number["credentialsId"] for number in self.numbers}


EXPECTED = {number_id(index): {f"agent-{index}"} if index % 10 == 0 else set() for index in range(200)}


@pytest.mark.parametrize(
    ("options", "requests"),
    [
        ({}, 3),
        ({"hidden": 2}, 3 + 6),
        ({"refuses": 403}, 2 + 200),
        ({"refuses": 404}, 2 + 200),
        ({"refuses": 405}, 2 + 200),
    ],
)
def test_users_are_read_by_credentials_and_singly_where_that_does_not_do(
    carry_out, options, requests
) -> None:
    fleet = Fleet(200, 3, **options)
    users = carry_out(users_of(fleet.credentials()), vendor=fleet)
    assert {id_: set(affected.outbound) for id_, affected in users.items()} == EXPECTED
    assert list(users) == list(fleet.credentials())
    assert len(fleet.paths) == requests


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("refused", range(5))
def test_a_credential_whose_users_may_not_be_read_costs_the_reads_of_its_own_numbers(
    carry_out, refused, status
) -> None:
    fleet = Fleet(605, 5)
    # The first credential has the most numbers.
    fleet.numbers += [number_json(index, credentialsId=CREDENTIALS[0]) for index in range(605, 610)]
    fleet.failing[CREDENTIALS[refused]] = status
    users = carry_out(users_of(fleet.credentials()), vendor=fleet)
    assert {id_ for id_, affected in users.items() if affected.outbound} == {
        number_id(index) for index in range(0, 610, 10)
    }
    alone = sum(number["credentialsId"] == CREDENTIALS[refused] for number in fleet.numbers)
    assert len(fleet.paths) == 5 + alone


def test_a_number_that_is_alone_under_its_credentials_is_read_singly(carry_out) -> None:
    fleet = Fleet(5, 5)
    users = carry_out(users_of(fleet.credentials()), vendor=fleet)
    assert len(users) == len(fleet.paths) == 5
    assert not [path for path in fleet.paths if "sip-credentials" in path]


def test_a_number_that_is_gone_is_missing(carry_out) -> None:
    fleet = Fleet(3, 1)
    asked = fleet.credentials()
    gone = fleet.numbers.pop(1)
    assert list(carry_out(users_of(asked), vendor=fleet)) == [id_ for id_ in asked if id_ != gone["id"]]


def test_an_outage_is_no_refusal(carry_out) -> None:
    with pytest.raises(errors.ServerError):
        carry_out(users_of(Fleet(4, 1).credentials()), vendor=Fleet(4, 1, refuses=503))
    reading = carry_out(read_users(Fleet(4, 1).credentials()), vendor=Fleet(4, 1, refuses=503))
    assert (reading.users, list(reading.errors)) == ({}, list(Fleet(4, 1).credentials()))


@pytest.mark.parametrize("status", [403, 500])
def test_one_number_whose_users_cannot_be_read_does_not_hide_the_others(carry_out, status) -> None:
    fleet = Fleet(6, 2)
    fleet.numbers[5]["credentialsId"] = CREDENTIALS[4]  # alone, so it is read singly
    fleet.failing[number_id(5)] = status
    asked = fleet.credentials()
    reading = carry_out(read_users(asked), vendor=fleet)
    assert list(reading.users) == [id_ for id_ in asked if id_ != number_id(5)]
    assert {id_: error.status for id_, error in reading.errors.items()} == {number_id(5): status}
    with pytest.raises(errors.VendorError):
        carry_out(users_of(asked), vendor=fleet)


def test_a_credential_that_cannot_be_read_does_not_hide_the_numbers_of_others(carry_out) -> None:
    fleet = Fleet(7, 2)
    fleet.failing[CREDENTIALS[1]] = 500
    reading = carry_out(read_users(fleet.credentials()), vendor=fleet)
    assert set(reading.users) == {number_id(index) for index in (0, 2, 4, 6)}
    assert set(reading.errors) == {number_id(index) for index in (1, 3, 5)}


def test_a_refused_key_is_the_error_of_all(carry_out) -> None:
    fleet = Fleet(3, 3)
    fleet.failing[number_id(1)] = 401
    with pytest.raises(errors.AuthenticationError):
        carry_out(read_users(fleet.credentials()), vendor=fleet)


def test_the_outbound_links_of_the_organisation_take_few_requests(carry_out) -> None:
    fleet = Fleet(999, 5)
    links = carry_out(outbound_links(), vendor=fleet)
    assert links == {f"agent-{index}": number_id(index) for index in range(0, 999, 10)}
    assert len(fleet.paths) == 1 + 5


def test_nothing_is_asked_for_no_numbers(carry_out) -> None:
    fleet = Fleet(0, 1)
    assert carry_out(users_of({}), vendor=fleet) == {}
    assert not fleet.paths


def test_numbers_whose_credentials_are_not_known_are_read_singly(carry_out) -> None:
    fleet = Fleet(4, 1)
    assert len(carry_out(users_of(dict.fromkeys(fleet.credentials())), vendor=fleet)) == 4
    assert len(fleet.paths) == 4


def test_what_is_seen_on_the_way_comes_last(carry_out) -> None:
    fleet = Fleet(6, 1)
    [*_, fourth, fifth] = asked = list(fleet.credentials())[:5]
    users = carry_out(users_of({fifth: CREDENTIALS[0], fourth: CREDENTIALS[0]}), vendor=fleet)
    assert list(users)[:2] == [fifth, fourth]
    assert set(users) > set(asked)
    assert len(fleet.paths) == 1
