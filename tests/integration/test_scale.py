"""Many numbers cost the vendor little: how many requests leave for a thousand waits, a long list, work in bulk."""

from __future__ import annotations

import asyncio
import re
import time
import tracemalloc

import pytest
from airflow_harness.logs import captured
from airflow_harness.tasks import run_task, run_to_end, trigger_context
from airflow_harness.waiting import EVENTUALLY
from integration.worlds import ABSENT, AGENT, CREDENTIALS

from airflow_provider_phonelink.hooks import bulk
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.dasha import DashaListPhoneNumbersOperator
from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

LIST = "sip-phone-numbers$"


def plant(sandbox, count: int, **options) -> list[str]:
    return [
        sandbox.world.dasha.add_number(f"+1555{index:07}", CREDENTIALS, **options) for index in range(count)
    ]


def asked(sandbox) -> tuple[int, int]:
    """How many pages of lists were asked for, and how many requests there were of any other kind."""
    lists = len(sandbox.journal.requests("GET", LIST))
    return lists, sandbox.journal.total - lists


def in_bulk(connections, work, **extra):
    """Do something with a hook in an event loop, as a task or trigger would."""
    connection = connections["dasha_default"]
    connection["extra"] = {**connection["extra"], **extra}

    async def main():
        async with DashaHook() as hook:
            return await work(hook)

    with trigger_context(connections):
        return asyncio.run(main())


def test_a_thousand_waits_are_a_list_an_interval(sandbox, connections):
    ids = plant(sandbox, 1000, steps=[(0, "Registering")])
    triggers = [
        DashaRegistrationTrigger(
            phone_number_ids=[id_],
            dasha_conn_id="dasha_default",
            deadline=time.time() + EVENTUALLY,
            poll_interval=1.0,
        )
        for id_ in ids
    ]

    async def fire(trigger):
        return [event.payload async for event in trigger.run()]

    async def become_active():
        while asked(sandbox)[0] < 2:
            await asyncio.sleep(0.05)
        with sandbox.world.lock:
            for id_ in ids:
                sandbox.world.dasha.script(id_, seeds.REGISTERED)
        return sandbox.journal.total

    async def wait_for_all():
        waits = [asyncio.create_task(fire(trigger)) for trigger in triggers]
        begun = time.monotonic()
        await become_active()
        events = await asyncio.gather(*waits)
        return events, time.monotonic() - begun

    with trigger_context(connections), captured():
        events, seconds = asyncio.run(wait_for_all())

    assert [[event["status"] for event in found] for found in events] == [["active"]] * 1000
    assert {id_ for [event] in events for id_ in event["states"]} == set(ids)
    lists, others = asked(sandbox)
    assert 2 <= lists <= seconds + 1
    assert others == 0


def test_one_sensor_over_a_thousand_numbers(sandbox, connections):
    ids = plant(sandbox, 1000, steps=[(0, "Registering"), (1.0, "Registered")])
    sensor = DashaRegistrationSensor(
        task_id="wait", phone_number_ids=ids, deferrable=True, poke_interval=0.5, timeout=EVENTUALLY
    )
    begun = time.monotonic()
    outcome = run_to_end(sensor, connections=connections)

    assert outcome.state == "success", outcome.log[-2000:]
    assert outcome.value == dict.fromkeys(ids, "Registered")
    lists, others = asked(sandbox)
    assert lists <= 1 + (time.monotonic() - begun) / 0.5
    assert others == 0


def test_a_list_of_2500_is_three_pages(sandbox, connections):
    ids = plant(sandbox, 2500)
    outcome = run_task(DashaListPhoneNumbersOperator(task_id="list", fields="id"), connections=connections)

    assert outcome.value == ids
    assert asked(sandbox) == (3, 0)
    assert {entry.query["take"] for entry in sandbox.journal} == {"1000"}


def test_a_list_returns_the_chosen_fields_only(sandbox, connections):
    ids = plant(sandbox, 3)
    task = DashaListPhoneNumbersOperator(task_id="list", fields=["id", "phone_number"])
    outcome = run_task(task, connections=connections)
    assert outcome.value == [{"id": id_, "phone_number": f"+1555{index:07}"} for index, id_ in enumerate(ids)]


def test_links_in_bulk_fail_one_by_one(sandbox, connections):
    ids = plant(sandbox, 60)
    items = [{"number_id": id_, "agent_id": AGENT} for id_ in [*ids[:30], ABSENT, *ids[30:]]]
    results = in_bulk(connections, lambda hook: hook.alink_many(items))

    assert [result.done for result in results] == [True] * 30 + [False] + [True] * 30
    assert [result.item for result in results] == items
    assert ABSENT in str(results[30].error)
    assert {link[0] for link in sandbox.world.dasha.links().values()} == {AGENT}


def test_creations_in_bulk_fail_one_by_one(sandbox, connections):
    plant(sandbox, 1)
    items = [{"phone_number": f"+1555{index:07}", "credentials_id": CREDENTIALS} for index in range(20)]
    results = in_bulk(connections, lambda hook: hook.acreate_many(items))

    assert [result.done for result in results] == [False] + [True] * 19
    assert [result.answer.phone_number for result in results[1:]] == [
        item["phone_number"] for item in items[1:]
    ]
    assert len(sandbox.world.dasha.numbers) == 20


def test_unlinks_in_bulk(sandbox, connections):
    ids = plant(sandbox, 40, inbound=AGENT)
    results = in_bulk(connections, lambda hook: hook.aunlink_many([{"number_id": id_} for id_ in ids]))

    assert all(result.done for result in results)
    assert {link[0] for link in sandbox.world.dasha.links().values()} == {None}


def test_the_connections_rate_holds_for_all_of_a_bulk_together(sandbox, connections):
    ids = plant(sandbox, 30)
    items = [{"number_id": id_, "agent_id": AGENT} for id_ in ids]
    results = in_bulk(connections, lambda hook: hook.alink_many(items), requests_per_second=40)

    assert all(result.done for result in results)
    times = [entry.time for entry in sandbox.journal]
    assert len(times) == 30
    assert max(times) - min(times) >= 29 / 40 - 0.1


def test_concurrency_is_bounded(sandbox, connections, monkeypatch):
    under_way, most = 0, 0
    run = DashaHook.arun

    async def counted(self, flow):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await run(self, flow)
        finally:
            under_way -= 1

    monkeypatch.setattr(DashaHook, "arun", counted)
    items = [{"number_id": id_, "agent_id": AGENT} for id_ in plant(sandbox, 40)]
    in_bulk(connections, lambda hook: hook.alink_many(items, concurrency=7))
    assert most == 7


def test_a_bulk_says_how_far_it_is(sandbox, connections, monkeypatch):
    monkeypatch.setattr(bulk, "PROGRESS_INTERVAL", 0.2)
    items = [{"number_id": id_, "agent_id": AGENT} for id_ in [*plant(sandbox, 29), ABSENT]]
    with captured() as text:
        in_bulk(connections, lambda hook: hook.alink_many(items), requests_per_second=40)

    lines = re.findall(r"Link numbers: (\d+) done, (\d+) failed, (\d+) left, \d+ a second", str(text))
    counts = [tuple(map(int, line)) for line in lines]
    assert len(counts) >= 3
    assert all(sum(count) == 30 for count in counts)
    assert counts[-1] == (29, 1, 0)
    assert [done for done, *_ in counts] == sorted(done for done, *_ in counts)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_streaming_keeps_one_page_in_memory(sandbox, hooks, connections, asynchronous):
    plant(sandbox, 5000)

    async def count(hook):
        return len([0 async for _ in hook.aiter_numbers()])

    def stream():
        if asynchronous:
            return in_bulk(connections, count)
        with hooks().dasha as hook:
            return sum(1 for _ in hook.iter_numbers())

    def read_whole():
        with hooks().dasha as hook:
            return len(hook.list_numbers())

    assert stream() == read_whole() == 5000  # and the sandbox has written every number once
    assert peak_of(stream) < 0.6 * peak_of(read_whole)


def peak_of(work) -> int:
    """The most memory that some work takes at any moment, what was there before not counted."""
    tracemalloc.start(1)
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert work() == 5000
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
