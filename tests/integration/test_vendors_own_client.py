"""CallingBox's own client talks to the sandbox, and sees the numbers that our hook sees."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from callingbox import AuthenticationError, BadRequestError, Callingbox

from airflow_provider_phonelink.exceptions import PhonelinkFailException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_phonelink.sandbox import Sandbox

#: What both show of a number; the client predates agents.
FIELDS = (
    "id", "e164", "friendly_name", "country_code", "number_type", "status", "monthly_cost_cents",
)  # fmt: skip
COUNT = 250


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callingbox]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # the client reads proxies from the environment
    sandbox.set(callingbox_numbers_shape="data_has_more", callingbox_page_size=20)
    for index in range(COUNT):
        sandbox.world.callingbox.add_number(
            f"+1555020{index:04d}", id=f"pn_{index}", friendly_name=f"No. {index}"
        )
    with Callingbox(api_key=sandbox.callingbox_key, base_url=sandbox.url) as client:
        yield client


def seen(numbers: Any) -> list[dict[str, Any]]:
    return [{name: getattr(number, name) for name in FIELDS} for number in numbers]


def newest_first(start: int = 0) -> list[str]:
    return [f"pn_{index}" for index in reversed(range(start, COUNT))]


def test_it_sees_what_our_hook_sees(client: Callingbox, hooks: Callable[..., Any], sandbox: Sandbox) -> None:
    theirs = seen(client.numbers.iter_numbers())
    assert [number["id"] for number in theirs] == newest_first()
    hook = hooks().callingbox
    assert seen(hook.list_numbers()) == theirs


@pytest.mark.parametrize(
    ("limit", "size", "cap"), [*product([None, 100, 7], [0, 20], [100]), (100, 20, 30), (None, 1000, 100)]
)
def test_it_goes_through_pages_of_any_size(
    client: Callingbox, hooks: Callable[..., Any], sandbox: Sandbox, limit: int | None, size: int, cap: int
) -> None:
    sandbox.set(callingbox_page_size=size, callingbox_page_cap=cap)
    before = len(sandbox.journal)
    assert [number.id for number in client.numbers.iter_numbers(limit=limit)] == newest_first()
    asked = len(sandbox.journal) - before
    assert asked == -(-COUNT // min(limit or size or cap, cap))
    assert [number.id for number in hooks().callingbox.list_numbers()] == newest_first()
    assert len(sandbox.journal) - before - asked == -(-COUNT // min(100, cap))


@pytest.mark.parametrize("shape", ["array", "data"])
def test_our_hook_sees_all_numbers_where_pages_are_short_and_do_not_say_whether_they_are_the_last(
    hooks: Callable[..., Any], client: Callingbox, sandbox: Sandbox, shape: str
) -> None:
    sandbox.set(callingbox_numbers_shape=shape, callingbox_plain_lists="paged", callingbox_page_cap=20)
    hook = hooks().callingbox
    assert [number.id for number in hook.list_numbers()] == newest_first()
    assert [number.id for number in hook.iter_numbers()] == newest_first()


def test_it_goes_backwards(client: Callingbox) -> None:
    assert [number.id for number in client.numbers.iter_numbers(ending_before="pn_199")] == newest_first(200)
    page = client.numbers.list(limit=2, ending_before="pn_199")
    assert ([number.id for number in page], page.has_more) == (["pn_201", "pn_200"], True)
    assert [n.id for n in client.numbers.iter_numbers(limit=3, starting_after="pn_2")] == ["pn_1", "pn_0"]


@pytest.mark.parametrize("shape", ["array", "data"])
def test_it_reads_the_older_shapes(
    client: Callingbox, hooks: Callable[..., Any], sandbox: Sandbox, shape: str
) -> None:
    sandbox.set(callingbox_numbers_shape=shape)
    assert seen(client.numbers.list()) == seen(hooks().callingbox.list_numbers())
    assert len(client.numbers.list()) == COUNT


@pytest.mark.parametrize("shape", ["text", "object", "message"])
def test_it_reads_the_errors_that_our_hook_reads(
    client: Callingbox, hooks: Callable[..., Any], sandbox: Sandbox, shape: str
) -> None:
    sandbox.set(callingbox_error_shape=shape)
    with pytest.raises(BadRequestError, match="No such item: nobody"):
        client.numbers.list(starting_after="nobody")
    hook = hooks().callingbox
    sandbox.change_key("callingbox", "another")
    with pytest.raises(AuthenticationError, match="Invalid API key"):
        client.numbers.list()
    with pytest.raises(PhonelinkFailException, match="Invalid API key"):
        hook.list_numbers()
