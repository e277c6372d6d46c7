from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from unit.api import faults
from unit.api.carrying import KEY
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json
from unit.hooks.local_vendor import serving, set_connection

from airflow_provider_phonelink.compat import AirflowException
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.hooks import bulk
from airflow_provider_phonelink.hooks.dasha import DashaHook

pytestmark = pytest.mark.usefixtures("clock", "airflow_database")
LOG = logging.getLogger("bulk")


@pytest.fixture
def vendor(monkeypatch) -> Any:
    fake = FakeDasha(*[number_json(index) for index in range(20)])
    with serving(fake) as url:
        set_connection(monkeypatch, "dasha_default", conn_type="dasha", host=url, password=KEY)
        yield fake


def do(name: str, items: Any, **options: Any) -> Any:
    async def main() -> Any:
        async with DashaHook() as hook:
            return await getattr(hook, name)(items, **options)

    return asyncio.run(main())


def test_many_are_created(vendor) -> None:
    items = [{"phone_number": f"+{index}", "credentials_id": CREDENTIALS} for index in range(10)]
    results = do("acreate_many", items)
    assert [result.answer.phone_number for result in results] == [item["phone_number"] for item in items]
    assert all(result.done for result in results)
    assert len(vendor.numbers) == 30


def test_many_are_linked_and_unlinked(vendor) -> None:
    ids = [number_id(index) for index in range(20)]
    results = do("alink_many", [{"number_id": id_, "agent_id": f"agent-{id_}"} for id_ in ids], concurrency=3)
    assert vendor.inbound == {id_: f"agent-{id_}" for id_ in ids}
    assert [result.item["number_id"] for result in results] == ids
    do("aunlink_many", ({"number_id": id_} for id_ in ids))
    assert set(vendor.inbound.values()) == {None}


def test_phone_numbers_are_looked_up_with_one_read(vendor) -> None:
    items = [{"number_id": f"+1555{index:07d}", "agent_id": "a"} for index in range(3)]
    items.append({"number_id": number_id(3), "agent_id": "a", "credentials_id": CREDENTIALS})
    results = do("alink_many", items)
    assert [result.answer.id for result in results] == [number_id(index) for index in range(4)]
    assert len(vendor.requests) == 1 + len(vendor.writes) == 5


def test_nothing_is_linked_if_a_phone_number_belongs_to_nobody(vendor) -> None:
    items = [{"number_id": name, "agent_id": "a"} for name in ("+15550000001", "+15550109999")]
    with pytest.raises(PhonelinkFailException, match=r"no number \+15550109999"):
        do("alink_many", items)
    assert vendor.writes == []


def test_each_has_its_own_error(vendor) -> None:
    vendor.on("PUT", f"{number_id(1)}/agent-link", faults.status(409))
    vendor.on("PUT", f"{number_id(2)}/agent-link", *[faults.status(503)] * 50)
    results = do("alink_many", [{"number_id": number_id(index), "agent_id": "a"} for index in range(4)])
    assert [result.done for result in results] == [True, False, False, True]
    assert isinstance(results[1].error, PhonelinkFailException)
    assert isinstance(results[2].error, PhonelinkRetryableException)
    assert results[1].answer is results[2].answer is None
    assert str(results[1].error).startswith(f"Number {number_id(1)}, agent a: PUT ")
    rows = bulk.rows(results, "linked")
    assert [row["step"] for row in rows] == ["linked", None, None, "linked"]
    assert rows[0] == {
        "phone_number": "+15550000000",
        "id": number_id(0),
        "step": "linked",
        "state": "Disabled",
        "reason": None,
    }
    assert rows[1]["id"] == number_id(1)
    assert rows[1]["reason"] == str(results[1].error)


def test_an_error_names_the_phone_number_that_was_not_created(vendor) -> None:
    vendor.on("POST", "sip-phone-numbers", faults.status(422))
    [result] = do("acreate_many", [{"phone_number": "+4930", "credentials_id": CREDENTIALS}])
    assert str(result.error).startswith("Number +4930: POST ")
    [row] = bulk.rows([result], "created")
    assert (row["phone_number"], row["id"], row["step"]) == ("+4930", None, None)


def test_the_same_number_twice_is_created_once(vendor) -> None:
    same = {"phone_number": "+4930", "credentials_id": CREDENTIALS}
    results = do("acreate_many", [same, {**same, "phone_number": "+4931"}, {**same, "display_name": None}])
    assert [request.split()[0] for request in vendor.requests] == ["POST", "POST"]
    assert results[0].answer == results[2].answer
    assert [result.answer.phone_number for result in results] == ["+4930", "+4931", "+4930"]


@pytest.mark.parametrize(
    ("method", "items"),
    [
        (
            "acreate_many",
            [{"phone_number": "+4930", "credentials_id": CREDENTIALS, "display_name": name} for name in "ab"],
        ),
        ("alink_many", [{"number_id": number_id(0), "agent_id": agent} for agent in "ab"]),
        (
            "alink_many",
            [{"number_id": number_id(n), "agent_id": "a", "mode": "replaceOutbound"} for n in (0, 1)],
        ),
    ],
)
def test_what_contradicts_itself_is_refused_before_the_first_request(vendor, method, items) -> None:
    with pytest.raises(PhonelinkFailException, match="item 1: contradicts item 0"):
        do(method, items)
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"number_id": "x", "agent_id": "a"}, "item 1, number_id: 'x' is neither the id"),
        ({"number_id": number_id(1)}, "item 1: .*agent_id"),
        ({"number_id": number_id(1), "agent_id": "a", "other": 1}, "item 1: .*other"),
    ],
)
def test_all_are_checked_before_the_first_request(vendor, bad, problem) -> None:
    with pytest.raises(PhonelinkFailException, match=problem):
        do("alink_many", [{"number_id": number_id(0), "agent_id": "a"}, bad])
    assert vendor.requests == []


def test_none_are_no_problem(vendor) -> None:
    assert do("alink_many", []) == []


@pytest.mark.parametrize("concurrency", [0, -1])
def test_concurrency_is_at_least_one(vendor, concurrency) -> None:
    with pytest.raises(PhonelinkFailException, match="concurrency"):
        do("alink_many", [{"number_id": number_id(0), "agent_id": "a"}], concurrency=concurrency)


def jobs(count: int) -> list[Any]:
    return [bulk.Job(index, [(index, {"number_id": str(index)})]) for index in range(count)]  # type: ignore[arg-type]


def carried_out(do: Any, count: int, **options: Any) -> Any:
    return asyncio.run(
        bulk.carry_out(jobs(count), do, **{"concurrency": 4, "log": LOG, "what": "Work", **options})
    )


def test_only_so_many_are_worked_on_at_once() -> None:
    under_way, most = 0, 0

    async def work(index: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return index

    assert [result.answer for result in carried_out(work, 30)] == list(range(30))
    assert most == 4


def test_progress_is_logged(monkeypatch, caplog) -> None:
    monkeypatch.setattr(bulk, "PROGRESS_INTERVAL", 0.01)

    async def work(index: int) -> None:
        await asyncio.sleep(0.02)
        if index == 1:
            raise AirflowException("no")

    with caplog.at_level(logging.INFO):
        carried_out(work, 10, concurrency=2)
    lines = [record.getMessage() for record in caplog.records if record.name == "bulk"]
    assert len(lines) > 2
    assert lines[-1].startswith("Work: 9 done, 1 failed, 0 left, ")


def test_an_error_that_is_none_of_ours_leaves_nobody_working() -> None:
    done = []

    async def work(index: Any) -> None:
        await asyncio.sleep(0.01)
        if index == 0:
            raise ZeroDivisionError
        done.append(index)

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await bulk.carry_out(jobs(10), work, concurrency=2, log=LOG, what="Work")
        before = list(done)
        await asyncio.sleep(0.05)
        assert done == before

    asyncio.run(main())
