from __future__ import annotations

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.callingbox.models import Agent
from airflow_provider_phonelink.api.callingbox.reads import (
    all_agents,
    all_numbers,
    attached,
    attachment,
    find_number,
)

SETTINGS = callingbox_settings()


def vendor(**options) -> FakeCallingBox:
    return FakeCallingBox(
        agents={"in": "inbound", "out": "outbound"}, numbers={"n1": ["in", "out"], "n2": []}, **options
    )


@pytest.mark.parametrize("form", ["array", "object"])
def test_all_numbers_are_read(carry_out, form) -> None:
    assert [n.id for n in carry_out(all_numbers(), vendor=vendor(list_form=form), settings=SETTINGS)] == [
        "n1",
        "n2",
    ]


@pytest.mark.parametrize(
    ("type_", "found"), [(None, ["in", "out"]), ("inbound", ["in"]), ("outbound", ["out"])]
)
def test_all_agents_are_read(carry_out, type_, found) -> None:
    assert [agent.id for agent in carry_out(all_agents(type_), vendor=vendor(), settings=SETTINGS)] == found


class Pages:
    """A vendor with numbers and agents that puts so many on a page as it likes."""

    def __init__(self, count: int, page: int, *, form: str = "pages") -> None:
        self.items = [{"id": f"x{index}"} for index in range(count)]
        self.page, self.form = page, form
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = dict(request.url.params)
        self.asked.append(params)
        after = params.get("starting_after")
        start = 0 if after is None or self.form == "ignores" else int(after[1:]) + 1
        limit = min(self.page, int(params.get("limit", self.page)))
        found = self.items[start : start + limit]
        more = start + limit < len(self.items)
        if self.form == "array":
            return httpx.Response(200, json=found)
        return httpx.Response(
            200, json={"data": found, **({} if self.form == "data" else {"has_more": more})}
        )


@pytest.mark.parametrize(
    ("count", "page", "form", "requests"),
    [
        (0, 100, "pages", 1),
        (100, 100, "pages", 1),
        (101, 100, "pages", 2),
        (250, 20, "pages", 13),
        (250, 100, "pages", 3),
        # Without `has_more` only an empty page is the end.
        (250, 100, "array", 4),
        (60, 20, "array", 4),
        (60, 20, "data", 4),
        (65, 20, "array", 5),
        (0, 20, "array", 1),
    ],
)
def test_a_list_is_read_to_its_end(carry_out, count, page, form, requests) -> None:
    fake = Pages(count, page, form=form)
    found = carry_out(all_numbers(), vendor=fake, settings=SETTINGS)
    assert [number.id for number in found] == [item["id"] for item in fake.items]
    assert len(fake.asked) == requests
    assert {params["limit"] for params in fake.asked} == {"100"}


@pytest.mark.parametrize("flow", [all_numbers, all_agents])
@pytest.mark.parametrize("form", ["pages", "array"])
def test_the_next_page_is_asked_for_by_the_id_as_the_vendor_writes_it(carry_out, flow, form) -> None:
    ids = [f"AAAAAAAA-0000-4000-8000-{index:012}" for index in range(150)]

    def vendor(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("starting_after")
        if after not in (None, *ids):
            return httpx.Response(200, json=[])  # a vendor that knows no such id
        start = ids.index(after) + 1 if after else 0
        found = [{"id": id_} for id_ in ids[start : start + 100]]
        more = start + 100 < len(ids)
        return httpx.Response(
            200, json=found if form == "array" and flow is all_numbers else {"data": found, "has_more": more}
        )

    found = carry_out(flow(), vendor=vendor, settings=SETTINGS)
    assert [one.id for one in found] == [id_.lower() for id_ in ids]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 2), (20, 2), (100, 2), (101, 1)])
def test_a_list_that_is_whole_although_it_knows_no_cursor_ends(carry_out, count, requests) -> None:
    asked = []

    def vendor(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[{"id": f"x{index}"} for index in range(count)])

    found = carry_out(all_numbers(), vendor=vendor, settings=SETTINGS)
    assert [number.id for number in found] == [f"x{index}" for index in range(count)]
    assert len(asked) == requests


@pytest.mark.parametrize("flow", [all_numbers, all_agents])
def test_a_cursor_that_does_not_move_on_is_an_error(carry_out, flow) -> None:
    with pytest.raises(errors.IncompleteListError, match="does not go on after 10 entries") as caught:
        carry_out(flow(), vendor=Pages(30, 10, form="ignores"), settings=SETTINGS)
    assert not caught.value.retry_helps


def test_agents_may_come_in_pages(carry_out) -> None:
    fake = Pages(30, 10)
    assert len(carry_out(all_agents("inbound"), vendor=fake, settings=SETTINGS)) == 30
    assert [params.get("starting_after") for params in fake.asked] == [None, "x9", "x19"]
    assert {params["type"] for params in fake.asked} == {"inbound"}


@pytest.mark.parametrize(("number_id", "requests"), [("x5", 1), ("x150", 2), ("x999", 3)])
def test_a_number_is_looked_for_on_as_few_pages_as_it_takes(carry_out, number_id, requests) -> None:
    fake = Pages(250, 100)
    found = carry_out(find_number(number_id), vendor=fake, settings=SETTINGS)
    assert (found and found.id) == (number_id if number_id != "x999" else None)
    assert len(fake.asked) == requests


@pytest.mark.parametrize(("number_id", "found"), [("n1", True), ("n3", False)])
def test_a_number_is_found_by_its_id(carry_out, number_id, found) -> None:
    assert (carry_out(find_number(number_id), vendor=vendor(), settings=SETTINGS) is not None) is found


def test_a_number_is_found_in_a_list_that_goes_on(carry_out) -> None:
    fake = vendor()
    fake.on("GET", "/v1/numbers", faults.status(200, json={"data": [{"id": "n1"}], "has_more": True}))
    assert carry_out(find_number("n1"), vendor=fake, settings=SETTINGS).id == "n1"


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("agent", "number", "is_attached", "pages"),
    [("in", "n1", True, 1), ("out", "n1", True, 1), ("in", "n2", False, 1), ("in", "n3", False, 2)],
)
def test_an_attachment_is_read_from_the_agent_or_the_number(
    carry_out, told, agent, number, is_attached, pages
) -> None:
    fake = vendor(agents_tell_numbers=told)
    found = carry_out(attachment(agent, number), vendor=fake, settings=SETTINGS)
    assert (found.agent.id, found.attached) == (agent, is_attached)
    assert len(fake.requests) == (1 if told else 1 + pages)


def test_an_attachment_that_nobody_tells_is_an_error(carry_out) -> None:
    fake = vendor(agents_tell_numbers=False, numbers_tell_links=False)
    with pytest.raises(
        errors.UnreadableAnswerError, match=r"neither the agent nor the number .*\bn1\b.* says"
    ):
        carry_out(attachment("in", "n1"), vendor=fake, settings=SETTINGS)


@pytest.mark.parametrize(
    ("links", "is_attached"),
    [
        ({"inbound_agent_id": "in"}, True),
        ({"outbound_agent_ids": ["in"]}, True),
        ({"inbound_agent_id": "in2"}, None),
    ],
)
def test_half_of_the_links_is_believed_as_far_as_it_goes(carry_out, links, is_attached) -> None:
    fake = vendor(agents_tell_numbers=False)
    fake.on("GET", "/v1/numbers", *[faults.status(200, json=[{"id": "n1", **links}])] * 9)
    if is_attached is None:
        with pytest.raises(
            errors.UnreadableAnswerError, match=r"neither the agent nor the number .*\bn1\b.* says"
        ):
            carry_out(attachment("in", "n1"), vendor=fake, settings=SETTINGS)
    else:
        assert carry_out(attachment("in", "n1"), vendor=fake, settings=SETTINGS).attached


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (None, None),
        (Agent(id="a"), None),
        (Agent(id="a", numbers=[]), False),
        (Agent(id="a", numbers=[{"id": "n1"}]), True),  # type: ignore[list-item]
        (Agent(id="a", numbers=[{"id": "n2"}]), False),  # type: ignore[list-item]
    ],
)
def test_an_answer_shows_a_number_at_the_agent_or_not_or_does_not_tell(agent, told) -> None:
    assert attached(agent, "n1") is told
