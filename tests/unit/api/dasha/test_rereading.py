from __future__ import annotations

import json
from typing import Any

import pytest
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.dasha.models import PhoneNumberPage
from airflow_provider_phonelink.api.dasha.reads import read_numbers
from airflow_provider_phonelink.api.dasha.rereading import PageMemory


def body(*numbers: dict[str, Any], **fields: Any) -> bytes:
    page = {"items": list(numbers), "totalCount": len(numbers), "skip": 0, "take": 1000, **fields}
    return json.dumps(page).encode()


def read(memory: PageMemory, *numbers: dict[str, Any]) -> list[Any]:
    memory.begin()
    return memory.read(body(*numbers)).items


def test_a_page_is_read_like_any_other() -> None:
    numbers = [number_json(index) for index in range(3)]
    memory = PageMemory()
    for _ in range(3):
        memory.begin()
        assert memory.read(body(*numbers)) == PhoneNumberPage.model_validate_json(body(*numbers))


def test_what_has_not_changed_is_the_same_object_and_what_has_is_read_anew() -> None:
    memory = PageMemory()
    first, second = read(memory, number_json(1), number_json(2))
    again, changed = read(memory, number_json(1), number_json(2, incomingCallsAgentId="agent-a"))
    assert again is first
    assert changed is not second
    assert changed.incoming_calls_agent_id == "agent-a"


def test_a_number_whose_id_is_in_upper_case_is_found_again() -> None:
    memory, upper = PageMemory(), number_json(1, id=number_id(1).upper())
    [first], [again] = read(memory, upper), read(memory, upper)
    assert again is first


def test_only_the_last_reading_is_remembered() -> None:
    memory = PageMemory()
    [first] = read(memory, number_json(1))
    read(memory, number_json(2))
    [again] = read(memory, number_json(1))
    assert (again == first, again is first) == (True, False)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"items": null}',
        body(take=None),
        *(
            json.dumps({"items": [item], "totalCount": 1, "skip": 0, "take": 1}).encode()
            for item in ({}, 7, {"id": 7})
        ),
    ],
)
def test_what_is_no_page_is_a_value_error(page) -> None:
    memory = PageMemory()
    memory.begin()
    with pytest.raises(ValueError):
        memory.read(page)


def test_many_numbers_are_read_through_the_memory(carry_out, monkeypatch) -> None:
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 2)
    vendor, memory = FakeDasha(*[number_json(index) for index in range(5)]), PageMemory()
    wanted = [number_id(index) for index in range(5)]
    first = carry_out(read_numbers(wanted, pages=memory), vendor=vendor)
    vendor.numbers[number_id(3)]["displayName"] = "New"
    second = carry_out(read_numbers(wanted, first.total, memory), vendor=vendor)
    same = [second.numbers[id_] is first.numbers[id_] for id_ in wanted]
    assert same == [True, True, True, False, True]
    assert second.numbers[number_id(3)].display_name == "New"
