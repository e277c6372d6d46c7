from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from unit.api.fake_dasha import number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.outbound import outbound_links, users_of

CREDENTIALS = [f"c{index}000000-0000-4000-8000-000000000000" for index in range(5)]


class Fleet:
    """Numbers spread over credentials, of which every tenth is an agent's caller ID."""

    def __init__(self, count: int, credentials: int, *, hidden: int = 0, refuses: int | None = None) -> None:
        self.numbers = [
            number_json(index, credentialsId=CREDENTIALS[index % credentials]) for index in range(count)
        ]
        self.hidden, self.refuses = hidden, refuses
        self.paths: list[str] = []

    def users(self, number: dict[str, Any]) -> dict[str, Any]:
        index = self.numbers.index(number)
        used = [{"agentId": f"agent-{index}", "uses": ["outbound"]}] if index % 10 == 0 else []
        return {"id": number["id"], "phoneNumber": number["phoneNumber"], "affectedAgents": used}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
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
        ({"refuses": 403}, 1 + 200),
        ({"refuses": 404}, 1 + 200),
        ({"refuses": 405}, 1 + 200),
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
