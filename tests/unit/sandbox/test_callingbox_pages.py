"""CallingBox's lists come in pages, as its own client reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS, AGENTS = "/v1/numbers", "/v1/agents"


@pytest.fixture(autouse=True)
def five_of_each(sandbox: Sandbox) -> None:
    sandbox.set(callingbox_numbers_shape="data_has_more", callingbox_agent_pages=True)
    for i in range(5):
        sandbox.world.callingbox.add_agent("outbound" if i % 2 else "inbound", id=f"{i}")
        sandbox.world.callingbox.add_number(f"+1555010010{i}", id=f"{i}")


def page(client: httpx.Client, path: str = NUMBERS, **params: Any) -> tuple[str, bool]:
    answer = client.get(path, params=params).raise_for_status().json()
    return "".join(item["id"] for item in answer["data"]), answer["has_more"]


def follow(client: httpx.Client, path: str, **params: Any) -> list[str]:
    pages, more = [], True
    while more:
        ids, more = page(client, path, **params)
        pages.append(ids)
        params["starting_after"] = ids[-1]
    return pages


def test_the_newest_number_comes_first(callingbox: httpx.Client) -> None:
    assert follow(callingbox, NUMBERS, limit=2) == ["43", "21", "0"]


def test_agents_page_likewise(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    assert follow(callingbox, AGENTS, limit=2) == ["01", "23", "4"]
    assert follow(callingbox, AGENTS, limit=1, type="outbound") == ["1", "3"]
    sandbox.set(callingbox_agent_pages=False)
    answer = callingbox.get(AGENTS, params={"limit": 2}).json()
    assert (len(answer["data"]), "has_more" in answer) == (5, False)


def test_a_page_before_a_cursor_is_the_one_closest_to_it(callingbox: httpx.Client) -> None:
    assert page(callingbox, limit=2, ending_before="0") == ("21", True)
    assert page(callingbox, limit=2, ending_before="2") == ("43", False)
    assert page(callingbox, ending_before="4") == ("", False)
    assert page(callingbox, starting_after="0") == ("", False)


@pytest.mark.parametrize(
    ("size", "cap", "limit", "shown"),
    [(0, 100, None, 5), (3, 100, None, 3), (3, 2, None, 2), (0, 2, None, 2), (1, 100, 4, 4), (1, 2, 4, 2)],
)
def test_how_long_a_page_is(
    callingbox: httpx.Client, sandbox: Sandbox, size: int, cap: int, limit: int | None, shown: int
) -> None:
    sandbox.set(callingbox_page_size=size, callingbox_page_cap=cap)
    params = {} if limit is None else {"limit": limit}
    ids, more = page(callingbox, NUMBERS, **params)
    assert (len(ids), more) == (shown, shown < 5)


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "ten"},
        {"limit": "1_0"},
        {"starting_after": "nobody"},
        {"ending_before": "nobody"},
        {"starting_after": "1", "ending_before": "0"},
        {"after": "1"},
    ],
)
@pytest.mark.parametrize("path", [NUMBERS, AGENTS])
def test_a_page_that_makes_no_sense_is_400(
    callingbox: httpx.Client, path: str, params: dict[str, Any]
) -> None:
    response = callingbox.get(path, params=params)
    assert (response.status_code, bool(response.json()["error"])) == (400, True)


@pytest.mark.parametrize("shape", ["array", "data"])
@pytest.mark.parametrize("lists", ["whole", "paged"])
def test_lists_that_do_not_say_whether_there_is_more(
    callingbox: httpx.Client, sandbox: Sandbox, shape: str, lists: str
) -> None:
    sandbox.set(callingbox_numbers_shape=shape, callingbox_plain_lists=lists)

    def ids(**params: Any) -> str:
        answer = callingbox.get(NUMBERS, params=params).json()
        return "".join(item["id"] for item in (answer if shape == "array" else answer["data"]))

    whole = lists == "whole"
    assert ids(limit=2) == ("43210" if whole else "43")
    assert ids(limit=2, starting_after="0") == ("43210" if whole else "")


@given(limit=st.integers(1, 6), type_=st.sampled_from([None, "inbound", "outbound"]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_add_up_to_the_list(callingbox: httpx.Client, limit: int, type_: str | None) -> None:
    which = {} if type_ is None else {"type": type_}
    assert "".join(follow(callingbox, AGENTS, limit=limit, **which)) == page(callingbox, AGENTS, **which)[0]


@pytest.mark.parametrize("value", ["listed", "hidden"])
def test_archived_agents(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_archived_agents=value)
    sandbox.world.callingbox.archive("2")
    assert page(callingbox, AGENTS)[0] == {"listed": "01234", "hidden": "0134"}[value]
    assert callingbox.get(f"{AGENTS}/2").json()["archived_at"]


@pytest.mark.parametrize("value", ["list", "null"])
def test_no_outbound_agents(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_no_outbound=value)
    sandbox.world.callingbox.attach("1", "4")
    told = [number["outbound_agent_ids"] for number in callingbox.get(NUMBERS).json()["data"]]
    assert told == [["1"], *[{"list": [], "null": None}[value]] * 4]
