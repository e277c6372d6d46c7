from __future__ import annotations

import asyncio
import inspect
from typing import Any
from uuid import UUID

import pytest
from unit.api import faults
from unit.api.carrying import KEY, KINDS
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json
from unit.hooks.local_vendor import serving, set_connection

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.hooks.dasha import DashaHook

ID = number_id(1)
pytestmark = pytest.mark.usefixtures("clock", "airflow_database")


@pytest.fixture
def vendor(monkeypatch) -> Any:
    fake = FakeDasha(number_json(1), number_json(2, incomingCallsAgentId="agent-a"), outbound={"agent-a": ID})
    with serving(fake) as url:
        set_connection(monkeypatch, "dasha_default", conn_type="dasha", host=url, password=KEY)
        yield fake


@pytest.fixture(params=KINDS)
def call(request: pytest.FixtureRequest) -> Any:
    """Call a method of the hook or its twin."""

    def call(name: str, *arguments: Any, **options: Any) -> Any:
        if request.param == "sync":
            with DashaHook() as hook:
                result = getattr(hook, name)(*arguments, **options)
                return list(result) if inspect.isgenerator(result) else result

        async def acall() -> Any:
            async with DashaHook() as hook:
                result = getattr(hook, f"a{name}")(*arguments, **options)
                if inspect.isasyncgen(result):
                    return [item async for item in result]
                return await result

        return asyncio.run(acall())

    return call


def test_create_number(call, vendor) -> None:
    number = call("create_number", "+1", CREDENTIALS, display_name="A", description="B", registration=True)
    assert vendor.numbers[number.id]["displayName"] == "A"
    assert (number.description, number.registration) == ("B", True)


def test_create_number_looks_before_it_posts_again(call, vendor) -> None:
    vendor.on("POST", "", faults.lost_after)
    call("create_number", "+1", CREDENTIALS)
    assert (len(vendor.numbers), vendor.count("POST")) == (3, 1)


def test_get_number(call, vendor) -> None:
    assert call("get_number", ID).id == ID


def test_update_number(call, vendor) -> None:
    assert call("update_number", ID, "+1", CREDENTIALS, display_name="A").display_name == "A"


def test_list_numbers(call, vendor) -> None:
    assert [number.id for number in call("list_numbers")] == [ID, number_id(2)]
    assert [number.id for number in call("list_numbers", unlinked_only=True)] == [ID]
    assert [number.id for number in call("list_numbers", linked_agent_id="agent-a")] == [number_id(2)]


def test_iter_numbers(call, vendor, monkeypatch) -> None:
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 2)
    for index in range(3, 8):
        vendor.add(number_json(index))
    assert [number.id for number in call("iter_numbers")] == list(vendor.numbers)
    assert len(vendor.requests) == 4
    assert [number.id for number in call("iter_numbers", linked_agent_id="agent-a")] == [number_id(2)]


def test_find_number(call, vendor) -> None:
    assert call("find_number", "+15550000001", CREDENTIALS).id == ID
    assert call("find_number", "+1", CREDENTIALS) is None


def test_link(call, vendor) -> None:
    assert call("link", ID, "agent-b").incoming_calls_agent_id == "agent-b"
    call("link", ID, "agent-b", "replaceOutbound")
    assert vendor.outbound["agent-b"] == ID


def test_unlink(call, vendor) -> None:
    assert call("unlink", number_id(2)).incoming_calls_agent_id is None
    call("unlink", ID, "replaceOutbound", "agent-a")
    assert vendor.outbound == {}


def test_affected_agents(call, vendor) -> None:
    [agent] = call("affected_agents", ID).affected_agents
    assert (agent.agent_id, agent.uses) == ("agent-a", ["outbound"])


def test_delete_number(call, vendor) -> None:
    with pytest.raises(PhonelinkFailException, match="409"):
        call("delete_number", ID)
    assert call("delete_number", ID, force=True) is None
    assert list(vendor.numbers) == [number_id(2)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_number", ("", CREDENTIALS)),
        ("get_number", ("x",)),
        ("affected_agents", ("None",)),
        ("update_number", ("x", "+1", CREDENTIALS)),
        ("find_number", ("+1", "None")),
        ("link", (ID, "a", "outbound")),
        ("unlink", (ID, "replaceOutbound")),
        ("delete_number", ("../x",)),
    ],
)
def test_a_bad_argument_fails_the_task_and_sends_nothing(call, vendor, name, arguments) -> None:
    with pytest.raises(PhonelinkFailException, match="Nothing was sent"):
        call(name, *arguments)
    assert vendor.requests == []


def test_judge_reads_ids_and_judges_numbers_as_they_were_read(call, vendor) -> None:
    before = len(vendor.requests)
    assert {
        id_: found.verdict.value for id_, found in call("judge", [number_id(1), number_id(9)]).items()
    } == {
        number_id(1): "never",
        number_id(9): "gone",
    }
    asked = len(vendor.requests) - before
    assert asked > 0
    number = call("get_number", number_id(2))
    before = len(vendor.requests)
    assert list(call("judge", [number])) == [number_id(2)]
    assert len(vendor.requests) == before


def test_judge_reads_any_form_of_an_id_and_refuses_what_is_none(call, vendor) -> None:
    assert (
        list(call("judge", [UUID(number_id(1))]))
        == list(call("judge", [number_id(1).upper()]))
        == [number_id(1)]
    )
    sent = len(vendor.requests)
    with pytest.raises(PhonelinkFailException, match="numbers: 7 is int"):
        call("judge", [7])
    assert len(vendor.requests) == sent
