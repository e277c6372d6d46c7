from __future__ import annotations

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


@pytest.mark.parametrize(("flow", "path"), [(all_numbers, "/v1/numbers"), (all_agents, "/v1/agents")])
def test_a_list_that_goes_on_is_not_taken_for_whole(carry_out, flow, path) -> None:
    fake = vendor()
    fake.on("GET", path, faults.status(200, json={"data": [{"id": "n1"}], "has_more": True}))
    with pytest.raises(errors.IncompleteListError, match="goes on after 1 entries") as caught:
        carry_out(flow(), vendor=fake, settings=SETTINGS)
    assert not caught.value.retry_helps


@pytest.mark.parametrize(("number_id", "found"), [("n1", True), ("n3", False)])
def test_a_number_is_found_by_its_id(carry_out, number_id, found) -> None:
    assert (carry_out(find_number(number_id), vendor=vendor(), settings=SETTINGS) is not None) is found


def test_a_number_is_found_in_a_list_that_goes_on(carry_out) -> None:
    fake = vendor()
    fake.on("GET", "/v1/numbers", faults.status(200, json={"data": [{"id": "n1"}], "has_more": True}))
    assert carry_out(find_number("n1"), vendor=fake, settings=SETTINGS).id == "n1"


def test_a_number_that_may_be_in_the_rest_of_a_list_is_not_missing(carry_out) -> None:
    fake = vendor()
    fake.on("GET", "/v1/numbers", faults.status(200, json={"data": [{"id": "n1"}], "has_more": True}))
    with pytest.raises(errors.IncompleteListError):
        carry_out(find_number("n2"), vendor=fake, settings=SETTINGS)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("agent", "number", "is_attached"),
    [("in", "n1", True), ("out", "n1", True), ("in", "n2", False), ("in", "n3", False)],
)
def test_an_attachment_is_read_from_the_agent_or_the_number(
    carry_out, told, agent, number, is_attached
) -> None:
    fake = vendor(agents_tell_numbers=told)
    found = carry_out(attachment(agent, number), vendor=fake, settings=SETTINGS)
    assert (found.agent.id, found.attached) == (agent, is_attached)
    assert len(fake.requests) == (1 if told else 2)


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
