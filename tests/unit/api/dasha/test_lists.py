from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.lists import all_agents, all_credentials

PASSWORD = "s1p-passw0rd"


def credentials(index: int) -> dict[str, Any]:
    return {
        "id": f"c{index:07}-0000-4000-8000-000000000000",
        "server": "sip.example",
        "transport": "udp",
        "source": "manual",
        "authUser": f"user{index}",
        "authPassword": PASSWORD,
        "cpsLimit": 5,
    }


def agent(index: int) -> dict[str, Any]:
    sip = {"fromUser": f"+1555{index:07}"}
    return {
        "agentId": f"agent-{index}",
        "name": f"Agent {index}",
        "isEnabled": True,
        "config": {"prompt": "x" * 1000, "apiKey": PASSWORD, "outboundSipConfig": sip},
    }


@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
def test_all_credentials_are_read_and_no_password_is_kept(carry_out, count) -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        skip, take = (int(request.url.params[name]) for name in ("skip", "take"))
        items = [credentials(index) for index in range(count)][skip : skip + take]
        return httpx.Response(200, json={"items": items, "totalCount": count, "skip": skip, "take": take})

    found = carry_out(all_credentials(), vendor=vendor)
    assert [one.auth_user for one in found] == [f"user{index}" for index in range(count)]
    assert PASSWORD not in repr([(one, one.model_dump()) for one in found])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, json.dumps({"title": "Bad", "detail": credentials(1)})),
        (400, json.dumps([credentials(1)])),
        (500, f'oops {{"authPassword": "{PASSWORD}", '),
        (400, f"authPassword={PASSWORD} is wrong"),
        (200, json.dumps({"items": [{**credentials(1), "id": 5}], "totalCount": 1, "skip": 0, "take": 1})),
    ],
)
def test_no_password_is_in_an_error(carry_out, status, body) -> None:
    with pytest.raises(errors.VendorError) as caught:
        carry_out(all_credentials(), vendor=lambda _: httpx.Response(status, text=body))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("form", ["array", "paged array", "page"])
@pytest.mark.parametrize("count", [0, 5, 100, 101, 250])
def test_all_agents_are_read_without_their_configuration(carry_out, form, count) -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        skip, take = (int(request.url.params[name]) for name in ("skip", "take"))
        everyone = [agent(index) for index in range(count)]
        some = everyone if form == "array" else everyone[skip : skip + take]
        return httpx.Response(200, json={"items": some, "totalCount": count} if form == "page" else some)

    found = carry_out(all_agents(), vendor=vendor)
    assert [one.agent_id for one in found] == [f"agent-{index}" for index in range(count)]
    assert all(one.caller_id == f"+1555{index:07}" for index, one in enumerate(found))
    assert PASSWORD not in repr([(one, one.model_dump()) for one in found])


class Paged:
    """A vendor with credentials or agents, whose pages have at most ``cap`` items, that loses some meanwhile."""

    def __init__(self, items: list[dict[str, Any]], cap: int, *, array: bool, gone: dict[int, int]) -> None:
        self.items, self.cap, self.array = items, cap, array
        #: By how many requests came before: which item goes, by its place.
        self.gone = gone
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if (place := self.gone.get(self.asked)) is not None:
            del self.items[place]
        self.asked += 1
        skip, take = (int(request.url.params[name]) for name in ("skip", "take"))
        found = self.items[skip : skip + min(take, self.cap)]
        page = {"items": found, "totalCount": len(self.items), "skip": skip, "take": take}
        return httpx.Response(200, json=found if self.array else page)


def id_of(item: dict[str, Any]) -> Any:
    return item.get("agentId") or item["id"]


READS = {
    "credentials": (all_credentials, credentials, "id", False),
    "agents": (all_agents, agent, "agent_id", False),
    "array of agents": (all_agents, agent, "agent_id", True),
}


@pytest.mark.parametrize(("cap", "count"), [(50, 120), (50, 100), (50, 50), (1, 3), (2, 5), (20, 1)])
@pytest.mark.parametrize("what", READS)
def test_pages_may_be_shorter_than_was_asked_for(carry_out, what, cap, count) -> None:
    read, item, name, array = READS[what]
    fake = Paged([item(index) for index in range(count)], cap, array=array, gone={})
    found = carry_out(read(), vendor=fake)
    assert [getattr(one, name) for one in found] == [id_of(one) for one in fake.items]


@pytest.mark.parametrize("gone", [{1: 0}, {1: 49}, {2: 0}, {2: 99}, {1: 0, 2: 0}, {1: 0, 4: 3}])
@pytest.mark.parametrize("what", READS)
def test_one_that_goes_while_pages_are_read_hides_no_other(carry_out, what, gone) -> None:
    read, item, name, array = READS[what]
    fake = Paged([item(index) for index in range(101)], 50, array=array, gone=gone)
    found = carry_out(read(), vendor=fake)
    assert set(map(id_of, fake.items)) <= {getattr(one, name) for one in found}


def test_a_list_that_never_holds_still_is_an_error_that_a_retry_may_help(carry_out) -> None:
    fake = Paged([agent(index) for index in range(300)], 50, array=True, gone=dict.fromkeys(range(1, 99), 0))
    with pytest.raises(errors.UnreadableAnswerError, match="changed while it was read") as caught:
        carry_out(all_agents(), vendor=fake)
    assert caught.value.retry_helps


def test_agents_without_an_outbound_configuration_have_no_caller_id(carry_out) -> None:
    configs: list[dict[str, Any]] = [{}, {"config": None}, {"config": {"outboundSipConfig": None}}]
    answer = [{"agentId": str(index), **config} for index, config in enumerate(configs)]
    found = carry_out(all_agents(), vendor=lambda _: httpx.Response(200, json=answer))
    assert [one.caller_id for one in found] == [None, None, None]
