from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unit.api.carrying import KEY, KINDS
from unit.api.fake_callingbox import FakeCallingBox
from unit.hooks.local_vendor import serving, set_connection

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook

pytestmark = pytest.mark.usefixtures("clock", "airflow_database")


@pytest.fixture
def vendor(monkeypatch) -> Any:
    fake = FakeCallingBox(
        agents={"in": "inbound", "out": "outbound"},
        numbers={"n1": ["in"], "n2": []},
        body_key="phone_number_id",
    )
    with serving(fake) as url:
        set_connection(
            monkeypatch,
            "callingbox_default",
            conn_type="callingbox",
            host=url,
            password=KEY,
            extra={"attach_body_key": "phone_number_id"},
        )
        yield fake


@pytest.fixture(params=KINDS)
def call(request: pytest.FixtureRequest) -> Any:
    """Call a method of the hook or its twin."""

    def call(name: str, *arguments: Any) -> Any:
        if request.param == "sync":
            with CallingBoxHook() as hook:
                return getattr(hook, name)(*arguments)

        async def acall() -> Any:
            async with CallingBoxHook() as hook:
                return await getattr(hook, f"a{name}")(*arguments)

        return asyncio.run(acall())

    return call


def test_list_numbers(call, vendor) -> None:
    assert [number.id for number in call("list_numbers")] == ["n1", "n2"]


def test_list_agents(call, vendor) -> None:
    assert [agent.id for agent in call("list_agents")] == ["in", "out"]
    assert [agent.id for agent in call("list_agents", "outbound")] == ["out"]


def test_get_agent(call, vendor) -> None:
    assert [number.id for number in call("get_agent", "in").numbers] == ["n1"]


def test_attach_uses_the_connections_body_key(call, vendor) -> None:
    assert [number.id for number in call("attach", "out", "n2").numbers] == ["n2"]


def test_detach(call, vendor) -> None:
    assert call("detach", "in", "n1").numbers == []
    assert call("detach", "in", "n1").numbers == []


@pytest.mark.parametrize("key", ["phone_number_id", "number_id", "primary_number_id"])
def test_set_primary_number_finds_the_body_key(call, vendor, key) -> None:
    vendor.take_number_as(key)
    assert call("set_primary_number", "in", "n1").id == "in"
    puts = [request for request in vendor.requests if request.startswith("PUT")]
    assert len(puts) == {"phone_number_id": 1, "number_id": 2, "primary_number_id": 3}[key]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list_agents", ("both",)),
        ("get_agent", ("",)),
        ("get_agent", ("x/y",)),
        ("attach", ("../x", "n1")),
        ("detach", ("in", "None")),
        ("set_primary_number", ("", "n1")),
    ],
)
def test_a_bad_argument_fails_the_task_and_sends_nothing(call, vendor, name, arguments) -> None:
    with pytest.raises(PhonelinkFailException, match="Nothing was sent"):
        call(name, *arguments)
    assert vendor.requests == []
