"""The event trigger: each change of a registration wakes somebody once, across outages and restarts."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest
from airflow_harness.logs import captured
from airflow_harness.tasks import trigger_context
from integration.worlds import CREDENTIALS

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.assets import number_asset
from airflow_provider_phonelink.decisions import registration
from airflow_provider_phonelink.sandbox import Fault, seeds
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger
from airflow_provider_phonelink.triggers.dasha import events as dasha_events

FAILED = [{"after": 0, "state": "Failed"}]
REGISTERING = [{"after": 0, "state": "Registering"}]
POOL = {"display_name_prefix": "Campaign"}
INTERVAL = 0.1


class Store:
    """An asset's state store, as Airflow 3.3 gives one to a trigger."""

    def __init__(self):
        self.values = {}
        self.written = 0
        self.broken = 0

    async def aget(self, key, default=None):
        if self.broken:
            self.broken -= 1
            raise RuntimeError("the API server restarts")
        return self.values.get(key, default)

    async def aset(self, key, value):
        self.values[key] = dict(value)
        self.written += 1


class Watch:
    """A trigger that runs, and what it told."""

    def __init__(self, stream):
        self.told = []
        self.events = []
        self._stream = stream

    async def collect(self):
        async for event in self._stream:
            self.told.append((event.payload["transition"], event.payload["phone_number"]))
            self.events.append(event.payload)

    async def until(self, count):
        end = time.monotonic() + 20
        while len(self.told) < count:
            assert time.monotonic() < end, self.told
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def settles_at_once(monkeypatch):
    monkeypatch.setattr(dasha_events, "EVENT_COMMIT_SECONDS", 0.0)


@pytest.fixture
def numbers(sandbox):
    add = sandbox.world.dasha.add_number
    return [
        add(f"+1555020{i}", CREDENTIALS, display_name=f"Campaign {i}", steps=seeds.REGISTERED)
        for i in range(3)
    ]


@pytest.fixture
def watching(sandbox, connections):
    @asynccontextmanager
    async def watch(store=None, **arguments):
        trigger = DashaRegistrationEventTrigger(poll_interval=INTERVAL, **arguments)
        classpath, kwargs = trigger.serialize()
        assert classpath == "airflow_provider_phonelink.triggers.dasha.DashaRegistrationEventTrigger"
        again = DashaRegistrationEventTrigger(**kwargs)
        assert again.serialize() == trigger.serialize()
        again.asset_state_store = store
        found = Watch(again.run())
        with trigger_context(connections):
            task = asyncio.create_task(found.collect())
            await polls(sandbox, 2)
            try:
                yield found
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    return watch


async def polls(sandbox, count):
    """Wait until the vendor was asked so many more times."""
    goal = len(sandbox.journal) + count
    end = time.monotonic() + 20
    while len(sandbox.journal) < goal:
        assert time.monotonic() < end, "nobody polls"
        await asyncio.sleep(0.01)


def becomes(sandbox, number, steps):
    sandbox.world.dasha.script(number, steps)


@pytest.mark.parametrize("by", ["ids", "pool"])
def test_tells_of_each_change_once(sandbox, numbers, watching, by):
    async def scenario():
        wish = {"phone_number_ids": numbers} if by == "ids" else {"pool": POOL}
        async with watching(**wish) as watch:
            assert watch.told == []
            becomes(sandbox, numbers[0], REGISTERING)
            await watch.until(1)
            becomes(sandbox, numbers[0], FAILED)
            becomes(sandbox, numbers[1], FAILED)
            await watch.until(3)
            becomes(sandbox, numbers[0], seeds.REGISTERED)
            await watch.until(4)
            await polls(sandbox, 3)
        return watch.told

    told = asyncio.run(scenario())
    assert told[0] == ("lost", "+15550200")
    assert sorted(told[1:3]) == [("failed", "+15550200"), ("failed", "+15550201")]
    assert told[3:] == [("recovered", "+15550200")]


def test_only_the_transitions_wished(sandbox, numbers, watching):
    async def scenario():
        async with watching(phone_number_ids=numbers, transitions=["recovered"]) as watch:
            becomes(sandbox, numbers[0], FAILED)
            await polls(sandbox, 4)
            becomes(sandbox, numbers[0], seeds.REGISTERED)
            await watch.until(1)
        return watch.told

    assert asyncio.run(scenario()) == [("recovered", "+15550200")]


def test_an_active_state_that_expires_is_lost_although_nothing_changes(
    sandbox, numbers, watching, monkeypatch
):
    monkeypatch.setattr(registration, "SKEW", timedelta(0))
    lapses = [{"after": 0, "state": "Registered", "lifetime": 2.0, "renews": False}]

    async def scenario():
        becomes(sandbox, numbers[0], lapses)
        async with watching(phone_number_ids=numbers[:1]) as watch:
            await watch.until(1)
        return watch.told

    assert asyncio.run(scenario()) == [("lost", "+15550200")]


class TestPool:
    def test_numbers_come_and_go(self, sandbox, numbers, watching):
        dasha = sandbox.world.dasha

        async def scenario():
            async with watching(pool=POOL) as watch:
                dasha.delete(numbers[0], force=True)
                await watch.until(1)
                new = dasha.add_number("+15550209", CREDENTIALS, display_name="Campaign 9", steps=FAILED)
                other = dasha.add_number(
                    "+15550208", CREDENTIALS, display_name="Support", steps=seeds.REGISTERED
                )
                await polls(sandbox, 4)
                becomes(sandbox, new, seeds.REGISTERED)
                becomes(sandbox, other, FAILED)
                await watch.until(2)
                sandbox.journal.clear()
                await polls(sandbox, 3)
            return watch.told

        assert asyncio.run(scenario()) == [("lost", None), ("recovered", "+15550209")]
        # One list a poll, and nothing for the number that is gone.
        assert {entry.path.rpartition("/")[2] for entry in sandbox.journal} == {"sip-phone-numbers"}

    def test_a_pool_that_is_empty_waits_for_its_first_number(self, sandbox, watching):
        async def scenario():
            async with watching(pool=POOL) as watch:
                number = sandbox.world.dasha.add_number(
                    "+15550209", CREDENTIALS, display_name="Campaign", steps=seeds.REGISTERED
                )
                await polls(sandbox, 3)
                becomes(sandbox, number, FAILED)
                await watch.until(1)
            return watch.told

        assert asyncio.run(scenario()) == [("failed", "+15550209")]


@pytest.mark.parametrize("by", ["ids", "pool"])
class TestRestarts:
    def wish(self, by, numbers):
        return {"phone_number_ids": numbers} if by == "ids" else {"pool": POOL}

    def test_what_changed_meanwhile_is_told_once(self, sandbox, numbers, watching, by):
        store = Store()
        wish = self.wish(by, numbers)

        async def scenario():
            async with watching(store, **wish) as first:
                becomes(sandbox, numbers[0], FAILED)
                await first.until(1)
                await polls(sandbox, 3)
            becomes(sandbox, numbers[1], FAILED)
            sandbox.world.dasha.delete(numbers[2], force=True)
            async with watching(store, **wish) as second:
                await second.until(2)
                await polls(sandbox, 3)
            async with watching(store, **wish) as third:
                await polls(sandbox, 3)
            return first.told, sorted(second.told, key=str), third.told

        assert asyncio.run(scenario()) == (
            [("failed", "+15550200")],
            [("failed", "+15550201"), ("lost", None)],
            [],
        )
        assert store.written == 3  # the baseline and what changed, not each poll

    def test_without_a_store_the_first_look_is_the_baseline(self, sandbox, numbers, watching, by):
        async def scenario():
            becomes(sandbox, numbers[0], FAILED)
            async with watching(**self.wish(by, numbers)) as watch:
                await polls(sandbox, 3)
            return watch.told

        assert asyncio.run(scenario()) == []

    def test_what_is_no_number_in_the_store_is_not_asked_for(self, sandbox, numbers, watching, by):
        store = Store()
        store.values["phonelink_dasha_default"] = {"x": "up", "../..": "up", numbers[0].upper(): "up"}
        becomes(sandbox, numbers[0], FAILED)

        async def scenario():
            async with watching(store, **self.wish(by, numbers)) as watch:
                await watch.until(1)
                await polls(sandbox, 2)
            return watch.told

        assert asyncio.run(scenario()) == [("failed", "+15550200")]
        assert set(store.values["phonelink_dasha_default"]) == set(numbers)

    def test_a_store_that_does_not_answer_is_asked_again(self, sandbox, numbers, watching, by):
        store = Store()
        store.values["phonelink_dasha_default"] = dict.fromkeys(numbers, "up")
        store.broken = 2
        becomes(sandbox, numbers[0], FAILED)

        async def scenario():
            async with watching(store, **self.wish(by, numbers)) as watch:
                await watch.until(1)
            return watch.told

        assert asyncio.run(scenario()) == [("failed", "+15550200")]


class TestHolding:
    def test_a_flap_is_no_event_and_what_lasts_is_one(self, sandbox, numbers, watching):
        async def scenario():
            async with watching(phone_number_ids=numbers, hold_for=timedelta(seconds=1.5)) as watch:
                for steps in (REGISTERING, seeds.REGISTERED, FAILED, seeds.REGISTERED):
                    becomes(sandbox, numbers[0], steps)
                    await polls(sandbox, 2)
                assert watch.told == []
                becomes(sandbox, numbers[1], FAILED)
                await watch.until(1)
            return watch

        watch = asyncio.run(scenario())
        assert watch.told == [("failed", "+15550201")]
        [event] = watch.events
        since, at = (datetime.fromisoformat(event[key]) for key in ("since", "at"))
        assert at - since >= timedelta(seconds=1.5)

    def test_goes_on_across_a_restart(self, sandbox, numbers, watching):
        store = Store()

        async def scenario():
            async with watching(store, phone_number_ids=numbers, hold_for=3600) as first:
                becomes(sandbox, numbers[0], FAILED)
                await polls(sandbox, 4)
            key, value = store.values["phonelink_dasha_default"], numbers[0]
            condition, since = key[value].split()
            assert condition == "up"
            an_hour_ago = datetime.fromisoformat(since) - timedelta(hours=1)
            key[value] = f"{condition} {an_hour_ago.isoformat()}"
            async with watching(store, phone_number_ids=numbers, hold_for=3600) as second:
                await second.until(1)
            return first.told, second.events

        told, [event] = asyncio.run(scenario())
        assert told == []
        assert event["transition"] == "failed"

    def test_what_never_lasts_long_enough_is_no_event(self, sandbox, numbers, watching):
        async def scenario():
            never = timedelta.max
            async with watching(phone_number_ids=numbers, hold_for=never, remind_every=never) as watch:
                becomes(sandbox, numbers[0], FAILED)
                await polls(sandbox, 4)
            return watch.told

        assert asyncio.run(scenario()) == []

    def test_a_number_deleted_from_a_pool_is_lost_once_that_has_lasted(self, sandbox, numbers, watching):
        async def scenario():
            async with watching(pool=POOL, hold_for=0.5) as watch:
                sandbox.world.dasha.delete(numbers[0], force=True)
                await watch.until(1)
                await polls(sandbox, 8)
            return watch.told

        assert asyncio.run(scenario()) == [("lost", None)]


def test_tells_the_baseline_and_reminds_if_wished(sandbox, numbers, watching):
    becomes(sandbox, numbers[0], FAILED)

    async def scenario():
        async with watching(pool=POOL, tell_baseline=True, remind_every=0.5) as watch:
            await watch.until(3)
        return watch.events

    first, *reminders = asyncio.run(scenario())
    assert (first["transition"], first["phone_number_id"], first["reminder"]) == ("failed", numbers[0], False)
    for event in reminders:
        assert event["reminder"]
        assert event["since"] == first["since"]


def test_says_which_agents_are_concerned(sandbox, numbers, watching):
    add = sandbox.world.dasha.add_number
    more = [
        add(f"+1555030{i}", CREDENTIALS, inbound="agent-in", outbound=[f"agent-{i}"], steps=seeds.REGISTERED)
        for i in range(2)
    ]

    async def scenario():
        async with watching(phone_number_ids=[*numbers, *more]) as watch:
            with sandbox.world.lock:
                for number in [numbers[0], *more]:
                    becomes(sandbox, number, FAILED)
            await watch.until(3)
        return watch.events

    concerned = {
        event["phone_number_id"]: (event["inbound_agent_id"], event["outbound_agent_ids"])
        for event in asyncio.run(scenario())
    }
    assert concerned == {
        numbers[0]: (None, []),
        more[0]: ("agent-in", ["agent-0"]),
        more[1]: ("agent-in", ["agent-1"]),
    }


def test_an_event_does_not_wait_for_who_is_concerned(sandbox, numbers, watching):
    sandbox.faults.add(Fault("status", status=503, path="affected-agents", count=None))

    async def scenario():
        async with watching(phone_number_ids=numbers) as watch:
            becomes(sandbox, numbers[0], FAILED)
            await watch.until(1)
        return watch.events

    [event] = asyncio.run(scenario())
    assert (event["transition"], event["outbound_agent_ids"]) == ("failed", None)


def test_old_data_is_not_judged_by_a_later_clock(sandbox, numbers, watching, monkeypatch):
    """While the vendor is down, expiries pass; nobody knows whether the registrations were renewed."""
    monkeypatch.setattr(registration, "SKEW", timedelta(0))
    lapses = [{"after": 0, "state": "Registered", "lifetime": 3.0, "renews": False}]

    async def scenario():
        for number in numbers:
            becomes(sandbox, number, lapses)
        async with watching(phone_number_ids=numbers) as watch:
            assert watch.told == []
            sandbox.faults.add(Fault("status", status=503, count=None))
            await asyncio.sleep(3.5)  # the time that passes is the fault
            await polls(sandbox, 3)
            assert watch.told == []
            for number in numbers:
                becomes(sandbox, number, seeds.REGISTERED)
            sandbox.faults.clear()
            await polls(sandbox, 3)
        return watch.told

    assert asyncio.run(scenario()) == []


def test_one_numbers_403_leaves_the_others_watched(sandbox, numbers, watching):
    hidden = "00000000-0000-4000-8000-00000000f0f0"
    sandbox.faults.add(Fault("status", status=403, path=hidden, count=None))

    async def scenario():
        async with watching(phone_number_ids=[*numbers, hidden]) as watch:
            becomes(sandbox, numbers[0], FAILED)
            await watch.until(1)
            await polls(sandbox, 4)
        return watch.told

    assert asyncio.run(scenario()) == [("failed", "+15550200")]


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_watching_survives_whatever_fails(sandbox, numbers, watching, status):
    async def scenario():
        async with watching(phone_number_ids=numbers) as watch:
            sandbox.faults.add(Fault("status", status=status, count=None))
            becomes(sandbox, numbers[0], FAILED)
            await polls(sandbox, 15)  # more than any sensor would bear
            assert watch.told == []
            sandbox.faults.clear()
            await watch.until(1)
        return watch.told

    with captured() as log:
        assert asyncio.run(scenario()) == [("failed", "+15550200")]
    assert "watching goes on" in str(log)
    assert f"answered {status}" in str(log)


def test_many_watchers_share_their_polls(sandbox, numbers, watching):
    async def scenario():
        async with AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(watching(pool=POOL))
            sandbox.journal.clear()
            begun = time.monotonic()
            await polls(sandbox, 10)
            return time.monotonic() - begun

    # Each on its own would have asked ten times in a twentieth of that.
    assert asyncio.run(scenario()) > 10 * INTERVAL / 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "name either these or a pool"),
        ({"phone_number_ids": ["x"], "pool": POOL}, "name either these or a pool"),
        ({"phone_number_ids": []}, "phone_number_ids: "),
        ({"phone_number_ids": "x"}, "phone_number_ids: "),
        ({"pool": {}}, "pool: "),
        ({"pool": {"name": "x"}}, "pool: "),
        ({"pool": {"provider_id": "x"}}, "pool"),
        ({"pool": POOL, "transitions": ["gone"]}, "transitions: "),
        ({"pool": POOL, "transitions": []}, "transitions: "),
        ({"pool": POOL, "poll_interval": 0}, "poll_interval: "),
        ({"pool": POOL, "hold_for": -1}, "hold_for: "),
        ({"pool": POOL, "remind_every": 0}, "remind_every: "),
        ({"pool": POOL, "tell_baseline": "perhaps"}, "tell_baseline: "),
        ({"pool": POOL, "active_states": []}, "active_states: "),
        ({"pool": POOL, "failed_states": [""]}, "failed_states: "),
    ],
)
def test_bad_arguments_are_an_error_of_the_dag_file(arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        DashaRegistrationEventTrigger(**arguments)


def test_goes_into_a_watcher(numbers):
    from airflow.sdk import AssetWatcher

    asset = number_asset(numbers[0])
    asset.watchers.append(AssetWatcher(name="w", trigger=DashaRegistrationEventTrigger(pool=POOL)))
    assert asset.watchers[0].trigger.pool == POOL  # type: ignore[attr-defined]
