"""All waits of a triggerer on one connection share one poller. Time here passes only while everybody waits."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api.dasha.rereading import PageMemory
from airflow_provider_phonelink.api.senders import AsyncSender
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.hooks import dasha as hooks
from airflow_provider_phonelink.triggers.dasha import polling
from airflow_provider_phonelink.triggers.dasha import registration as triggers
from airflow_provider_phonelink.triggers.dasha.polling import Schedule, subscribed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

INTERVAL = 10.0
EVERY = Schedule(INTERVAL)
BEGAN = 1_000_000.0
EXPIRY = timedelta(hours=1)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now

    def _jump(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for ever"
        self.now += timeout
        return self._select(0)


def registering(index: int, **fields: Any) -> dict[str, Any]:
    return number_json(
        index, registration=True, registrationStatus={"state": "Registering", "expiresAt": None}, **fields
    )


class Vendors:
    """A vendor for each connection, and what was asked of it when."""

    def __init__(self, loop: FastLoop) -> None:
        self.loop = loop
        self.of: dict[str, FakeDasha] = defaultdict(lambda: FakeDasha(*map(registering, range(100))))
        self.keys: dict[str, str] = defaultdict(lambda: "first-key")
        self.asked: list[tuple[str, float, str, str]] = []
        self.hooks: list[Any] = []
        self.latency = 0.0

    def requests(self, conn_id: str = "one") -> list[tuple[float, str]]:
        return [(when, what) for name, when, what, _ in self.asked if name == conn_id]

    def times(self, conn_id: str = "one") -> list[float]:
        return sorted({round(when, 3) for when, _ in self.requests(conn_id)})

    def ticks(self, count: int, conn_id: str = "one", **status: Any) -> None:
        """Let every timestamp of the numbers move, as at a vendor that registers all of them anew."""
        moment = datetime.fromtimestamp(BEGAN + self.loop.now, timezone.utc)
        for index in range(count):
            number = self.of[conn_id].numbers[number_id(index)]
            number["lastUpdateTime"] = moment.isoformat()
            times = {"lastUpdated": moment.isoformat(), "expiresAt": (moment + EXPIRY).isoformat()}
            number["registrationStatus"] = {**number["registrationStatus"], **times, **status}

    def becomes(self, index: int, state: str, conn_id: str = "one") -> None:
        self.of[conn_id].numbers[number_id(index)]["registrationStatus"]["state"] = state

    def answers(self, conn_id: str) -> Callable[[httpx.Request], Coroutine[Any, Any, httpx.Response]]:
        async def answer(request: httpx.Request) -> httpx.Response:
            single = request.url.path.rpartition("/")[2] != "sip-phone-numbers"
            key = request.headers["Authorization"].removeprefix("Bearer ")
            self.asked.append((conn_id, self.loop.now, "one" if single else "list", key))
            await asyncio.sleep(self.latency)
            return self.of[conn_id](request)

        return answer


class Hook:
    """The hook as far as a poller uses it, without Airflow: the connection is the vendors' and so is the network."""

    vendors: Vendors
    max_failed_polls = 3

    def __init__(self, conn_id: str, *, max_retries: int) -> None:
        self.conn_id = conn_id
        self.max_retries = max_retries
        self.sender: AsyncSender | None = None
        self.vendors.hooks.append(self)

    async def arefresh(self) -> Any:
        settings = dasha_settings(api_key=self.vendors.keys[self.conn_id], max_retries=self.max_retries)
        if self.sender is not None and self.sender.settings != settings:
            await self.aclose()
        if self.sender is None:
            transport = httpx.MockTransport(self.vendors.answers(self.conn_id))
            self.sender = AsyncSender(settings, transport=transport)
        return settings

    async def arun(self, flow: Any) -> Any:
        assert self.sender
        with as_airflow_exceptions():
            return await self.sender.run(flow)

    async def aclose(self) -> None:
        if self.sender is not None:
            await self.sender.aclose()
            self.sender = None


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Vendors:
    loop = FastLoop()
    vendors = Vendors(loop)
    monkeypatch.setattr(Hook, "vendors", vendors, raising=False)
    monkeypatch.setattr(hooks, "DashaHook", Hook)
    monkeypatch.setattr(triggers, "time", SimpleNamespace(time=lambda: BEGAN + loop.now))
    now = lambda zone: datetime.fromtimestamp(BEGAN + loop.now, zone)  # noqa: E731
    monkeypatch.setattr(polling, "datetime", SimpleNamespace(now=now))
    return vendors


@pytest.fixture
def play(vendors: Vendors) -> Any:
    """Run a test's coroutine to its end, and look whether anything is left."""

    def run(story: Coroutine[Any, Any, Any]) -> Any:
        async def to_the_end() -> Any:
            before = asyncio.all_tasks()
            result = await asyncio.wait_for(story, 1_000_000)
            assert {task for task in asyncio.all_tasks() if task not in before} <= {asyncio.current_task()}
            return result

        try:
            result = vendors.loop.run_until_complete(to_the_end())
            assert not polling._pollers.get(vendors.loop), "a poller is left"
            assert all(hook.sender is None for hook in vendors.hooks), "a client is left"
        finally:
            vendors.loop.close()
        return result

    return run


@asynccontextmanager
async def waiting(*indexes: int, conn_id: str = "one", schedule: Schedule = EVERY) -> Any:
    async with subscribed(conn_id, [number_id(index) for index in indexes], schedule) as (_, subscription):
        yield subscription


async def hold(seconds: float, *indexes: int, **options: Any) -> list[tuple[float, Any]]:
    """Wait for some seconds; return what came of it and when."""
    news = []
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with waiting(*indexes, **options) as subscription:
        while (left := end - loop.time()) > 0:
            if await subscription.news(left):
                news.append((loop.time(), subscription.error or subscription.latest))
    return news


def all_of(*stories: Coroutine[Any, Any, Any]) -> Any:
    async def gathered() -> Any:
        return await asyncio.gather(*stories)

    return gathered()


async def later(seconds: float, story: Coroutine[Any, Any, Any]) -> Any:
    await asyncio.sleep(seconds)
    return await story


# --- how much is asked ----------------------------------------------------------------------------------------------


def test_many_waits_are_one_read_an_interval(vendors, play) -> None:
    play(all_of(*(hold(35, index) for index in range(100))))
    assert vendors.requests() == [(10, "list"), (20, "list"), (30, "list")]


def test_waits_that_begin_apart_come_together(vendors, play) -> None:
    play(all_of(*(later(index * 0.1, hold(95, index)) for index in range(100))))
    last = [request for request in vendors.requests() if 50 <= request[0] < 90]
    assert len(last) == 4
    assert {what for _, what in last} == {"list"}


def test_a_thousand_numbers_of_one_wait_are_one_read(vendors, play) -> None:
    vendors.of["one"] = FakeDasha(*map(registering, range(1000)))
    [[(when, latest)]] = play(all_of(hold(15, *range(1000))))
    assert (when, len(latest.numbers)) == (10, 1000)
    assert vendors.requests() == [(10, "list")]


def test_later_pages_are_read_too(vendors, play) -> None:
    vendors.of["one"] = FakeDasha(*map(registering, range(2500)))
    play(all_of(*(hold(15, index) for index in range(0, 2500, 50))))
    assert vendors.requests() == [(10, "list")] * 3


def test_a_few_numbers_of_many_are_read_singly_once_the_count_is_known(vendors, play) -> None:
    vendors.of["one"] = FakeDasha(*map(registering, range(5000)))
    play(all_of(hold(35, 4000), hold(35, 4001)))
    first, *rest = (
        [what for when, what in vendors.requests() if when == moment] for moment in vendors.times()
    )
    assert first == ["list", "one", "one"]
    assert rest == [["one", "one"]] * 2


def test_one_number_is_read_singly(vendors, play) -> None:
    play(hold(25, 7))
    assert vendors.requests() == [(10, "one"), (20, "one")]


def test_a_number_that_the_list_does_not_show_is_read_singly(vendors, play) -> None:
    hidden = FakeDasha(*map(registering, range(100)))
    vendors.of["one"] = hidden
    hidden.hide_in_lists(number_id(99))
    absent = 500
    results = play(all_of(hold(15, 1), hold(15, 2), hold(15, 99), hold(15, absent)))
    latest = [news[-1][1] for news in results]
    assert latest[2].numbers[number_id(99)].registration_status.state == "Registering"
    assert latest[3].numbers == {number_id(absent): None}
    assert [what for _, what in vendors.requests()] == ["list", "one", "one"]


def test_a_number_without_a_uuid_that_vanishes_is_gone_and_fails_nobodys_poll(vendors, play) -> None:
    vendors.of["one"].numbers["pn-1"] = {**registering(1), "id": "pn-1"}

    async def vanish() -> None:
        del vendors.of["one"].organisation.numbers["pn-1"]

    async def watch(seconds: float) -> list[Any]:
        is_new: Callable[[Any], bool] = lambda number: number.id == "pn-1"  # noqa: E731
        found = []
        async with subscribed("one", [], EVERY, is_new) as (_, subscription):
            while vendors.loop.now < seconds:
                await subscription.news(seconds - vendors.loop.now)
                assert subscription.error is None
                found.append(dict(subscription.latest.numbers) if subscription.latest else None)
        return found

    found, news, _ = play(all_of(watch(35), hold(35, 1), later(15, vanish())))
    assert [list(look) for look in found[:3]] == [["pn-1"], ["pn-1"], []]
    assert (found[0]["pn-1"].id, found[1]["pn-1"]) == ("pn-1", None)
    assert not any(isinstance(what, Exception) for _, what in news)
    assert {what for _, what in vendors.requests()} == {"list"}


# --- who shares with whom -------------------------------------------------------------------------------------------


def test_connections_never_share(vendors, play) -> None:
    vendors.keys["two"] = "other-key"
    vendors.becomes(1, "Registered", "two")
    one, two = play(all_of(hold(15, 1, 2, conn_id="one"), hold(15, 1, 2, conn_id="two")))
    states = [
        [number.registration_status.state for number in news[0][1].numbers.values()] for news in (one, two)
    ]
    assert states == [["Registering", "Registering"], ["Registered", "Registering"]]
    assert {(conn_id, key) for conn_id, _, _, key in vendors.asked} == {
        ("one", "first-key"),
        ("two", "other-key"),
    }


def test_a_wait_that_joins_is_served_within_its_own_interval(vendors, play) -> None:
    """Others poll rarely; the one that comes between their polls does not wait for them."""
    rarely = Schedule(1000.0)
    news = play(all_of(*(hold(500, index, schedule=rarely) for index in range(20)), later(7, hold(15, 50))))
    [(when, _)] = news[-1]
    assert when == 17


@pytest.mark.parametrize("begin", [0.0, 3.3, 5.0, 9.95])
def test_nobody_is_polled_less_often_than_it_asks(vendors, play, begin) -> None:
    seen: list[float] = []

    async def watch() -> None:
        async with waiting(50, schedule=Schedule(4.0)) as subscription:
            for _ in range(40):
                seen.append(subscription.due - asyncio.get_running_loop().time())
                await asyncio.sleep(1)

    play(all_of(*(hold(60, index) for index in range(20)), later(begin, watch())))
    assert max(seen) <= 4.0
    assert min(seen) >= 0


def test_early_polls_for_others_do_not_make_a_growing_interval_grow(vendors, play) -> None:
    backing_off = Schedule(8.0, exponential_backoff=True)
    frequent = [hold(39, index, schedule=Schedule(1.0)) for index in range(10)]
    play(all_of(hold(400, 50, schedule=backing_off), *frequent))
    after = [when for when in vendors.times() if when > 39.5]
    # The last poll for the others was at 38 s or so, and its own interval has never been more than 8 s until then.
    assert after[0] <= 38 + 8 * 2


def test_exponential_backoff(vendors, play) -> None:
    schedule = Schedule(1.0, exponential_backoff=True, max_wait=5.0)
    play(hold(23, 1, schedule=schedule))
    assert vendors.times() == [1, 3, 7, 12, 17, 22]


def test_an_edited_key_is_used_at_the_next_poll(vendors, play) -> None:
    async def edit() -> None:
        vendors.keys["one"] = "second-key"

    play(all_of(hold(25, 1), later(15, edit())))
    assert [key for *_, key in vendors.asked] == ["first-key", "second-key"]


def test_only_whom_it_concerns_hears_of_a_change(vendors, play) -> None:
    async def change() -> None:
        vendors.becomes(2, "Registered")

    quiet, told = play(all_of(hold(45, 1), hold(45, 2), later(15, change())))[:2]
    assert [when for when, _ in quiet] == [10]
    assert [when for when, _ in told] == [10, 20]


# --- ends and errors ------------------------------------------------------------------------------------------------


def test_the_poller_ends_with_its_last_wait_and_begins_anew(vendors, play) -> None:
    async def story() -> None:
        await hold(15, 1)
        assert not polling._pollers[vendors.loop]
        assert vendors.hooks[0].sender is None
        await asyncio.sleep(100)
        await hold(15, 1)

    play(story())
    assert vendors.times() == [10, 125]
    assert len(vendors.hooks) == 2


def test_a_poll_under_way_ends_with_the_last_wait(vendors, play) -> None:
    vendors.latency = 5.0
    play(hold(12, 1))
    assert vendors.times() == [10]
    assert vendors.loop.now < 13


def test_a_wait_joins_while_the_last_one_leaves(vendors, play) -> None:
    vendors.latency = 5.0
    news = play(all_of(hold(12, 1), later(12, hold(20, 2))))
    assert [when for when, _ in news[1]] == [27]


def test_one_that_leaves_does_not_disturb_the_poll_under_way(vendors, play) -> None:
    vendors.latency = 5.0
    _, stays = play(all_of(hold(12, 1), hold(16, 2)))
    assert [when for when, _ in stays] == [15]
    assert vendors.times() == [10]


def test_one_that_is_cancelled_or_breaks_does_not_disturb_the_others(vendors, play) -> None:
    async def breaks() -> None:
        with suppress(RuntimeError):
            async with waiting(1):
                await asyncio.sleep(3)
                raise RuntimeError("broken")

    async def story() -> Any:
        others = [asyncio.create_task(hold(25, index)) for index in range(10, 20)]
        cancelled = asyncio.create_task(hold(25, 2))
        await asyncio.gather(breaks(), asyncio.sleep(12))
        cancelled.cancel()
        with suppress(asyncio.CancelledError):
            await cancelled
        return await asyncio.gather(*others)

    results = play(story())
    assert [[when for when, _ in news] for news in results] == [[10]] * 10
    assert vendors.times() == [10, 20]


def test_a_failed_poll_is_told_to_everyone_and_the_next_one_is_the_retry(vendors, play) -> None:
    vendors.of["one"].on("GET", "sip-phone-numbers", lambda handle, request: httpx.Response(503))
    results = play(all_of(hold(25, 1), hold(25, 2)))
    for news in results:
        assert [when for when, _ in news] == [10, 20]
        assert isinstance(news[0][1], PhonelinkRetryableException)
        assert news[1][1].numbers
    assert vendors.times() == [10, 20]


def test_a_number_whose_own_read_fails_concerns_only_its_wait(vendors, play) -> None:
    vendors.of["one"] = FakeDasha(*map(registering, range(5000)))
    vendors.of["one"].on("GET", number_id(4001), lambda handle, request: httpx.Response(500))
    fine, failing = play(all_of(hold(15, 4000), hold(15, 4001)))
    assert fine[0][1].numbers
    assert "500" in str(failing[0][1])


def test_a_refused_key_fails_everyone_with_what_no_retry_mends(vendors, play) -> None:
    vendors.of["one"].on("GET", "sip-phone-numbers", lambda handle, request: httpx.Response(401))
    results = play(all_of(hold(15, 1), hold(15, 2)))
    assert all(isinstance(news[0][1], PhonelinkFailException) for news in results)


# --- the trigger ----------------------------------------------------------------------------------------------------


def trigger(*indexes: int, seconds: float = 1000.0, **options: Any) -> Any:
    return triggers.DashaRegistrationTrigger(
        **{
            "phone_number_ids": [number_id(index) for index in indexes],
            "dasha_conn_id": "one",
            "deadline": BEGAN + seconds,
            "poll_interval": INTERVAL,
            **options,
        }
    )


async def fired(trigger: Any) -> dict[str, Any]:
    [event] = [event.payload async for event in trigger.run()]
    return event


def test_a_trigger_fires_when_its_numbers_are_active(vendors, play) -> None:
    async def change() -> None:
        vendors.becomes(1, "Registered")
        await asyncio.sleep(20)
        vendors.becomes(2, "Registered")

    first, both, _ = play(all_of(fired(trigger(1)), fired(trigger(1, 2)), later(15, change())))
    assert (first["status"], first["states"]) == ("active", {number_id(1): "Registered"})
    assert (both["status"], len(both["states"])) == ("active", 2)
    # Both were read together until the first fired; the other one went on with its two numbers.
    assert vendors.times() == [10, 20, 30, 40]


def test_a_trigger_looks_once_more_at_its_deadline(vendors, play) -> None:
    async def change() -> None:
        vendors.becomes(1, "Registered")

    event, _ = play(all_of(fired(trigger(1, seconds=17)), later(15, change())))
    assert event["status"] == "active"
    assert vendors.times() == [10, 17]


def test_a_trigger_times_out_and_names_what_it_saw(vendors, play) -> None:
    event = play(fired(trigger(1, seconds=17)))
    assert event["status"] == "timeout"
    assert "+15550000001" in event["message"]
    assert event["states"] == {number_id(1): "Registering"}
    assert vendors.loop.now == 17


def test_a_vendor_that_hangs_does_not_keep_a_trigger_past_its_deadline(vendors, play) -> None:
    vendors.latency = 500.0
    event = play(fired(trigger(1, seconds=17)))
    assert event["status"] == "timeout"
    assert vendors.loop.now <= 17 + triggers.LAST_LOOK


def test_a_deadline_of_one_brings_the_others_their_states_too(vendors, play) -> None:
    timed_out, news = play(all_of(fired(trigger(1, 2, seconds=13)), hold(22, 3)))
    assert timed_out["status"] == "timeout"
    assert [when for when, _ in news] == [10]
    assert vendors.times() == [10, 13]  # the second list showed number 3 as well, so its next poll is at 23


def test_a_trigger_gives_up_after_so_many_failed_polls(vendors, play) -> None:
    down = [lambda handle, request: httpx.Response(502)] * 3
    vendors.of["one"].on("GET", number_id(1), *down)
    event = play(fired(trigger(1)))
    assert (event["status"], event["retry_helps"]) == ("error", True)
    assert vendors.times() == [10, 20, 30]


@pytest.mark.parametrize("state", ["Registering", "Failed", "Registered"])
def test_what_cannot_change_a_verdict_or_message_wakes_nobody(vendors, play, monkeypatch, state) -> None:
    """Many waits for two numbers each, and a vendor whose timestamps all move at each poll."""
    many = 200
    vendors.of["one"] = FakeDasha(*map(registering, range(many + 1)))
    for index in range(many):
        vendors.becomes(index, state)
    woken: list[float] = []
    news = polling.Subscription.news

    async def counted(self: Any, timeout: float) -> bool:
        found = await news(self, timeout)
        woken.append(vendors.loop.now)
        return found

    async def move() -> None:
        for _ in range(20):
            vendors.ticks(many)
            await asyncio.sleep(INTERVAL)

    monkeypatch.setattr(polling.Subscription, "news", counted)
    # Nothing ends them before their deadline.
    waits = [fired(trigger(index, many, seconds=195, on_failed="report")) for index in range(many)]
    *events, _ = play(all_of(*waits, move()))
    assert {event["status"] for event in events} == {"timeout"}
    assert len(vendors.times()) == 20
    # The first look, the deadline and the look at it; 20 polls each, if all woke them.
    assert len(woken) == 3 * many


def test_an_expiry_that_passes_and_one_that_moves_past_wake(vendors, play) -> None:
    expired = (datetime.fromtimestamp(BEGAN, timezone.utc) - EXPIRY).isoformat()

    async def change() -> None:
        vendors.ticks(2)

    for index in (1, 2):
        vendors.becomes(index, "Registered")
    vendors.ticks(3, expiresAt=expired)
    event, _ = play(all_of(fired(trigger(1)), later(25, change())))
    assert event["status"] == "active"
    assert vendors.times() == [10, 20, 30]


def test_one_numbers_403_ends_the_waits_on_that_number_only(vendors, play) -> None:
    vendors.of["one"] = FakeDasha(*map(registering, range(5000)))
    vendors.of["one"].on("GET", number_id(1), *[lambda handle, request: httpx.Response(403)] * 9)
    vendors.of["one"].hide_in_lists(number_id(1))

    async def change() -> None:
        vendors.becomes(2, "Registered")

    refused, fine, both, _ = play(
        all_of(
            fired(trigger(1)),
            fired(trigger(2)),
            fired(trigger(1, 2, on_failed="report")),
            later(25, change()),
        )
    )
    assert (refused["status"], fine["status"], both["status"]) == ("failed", "active", "reported")
    assert f"{number_id(1)}: GET " in refused["message"]
    assert both["report"]["active"] == [number_id(2)]
    assert "answered 403" in both["report"]["failed"][number_id(1)]


@pytest.mark.parametrize("seen", [False, True])
def test_a_number_that_was_never_seen_may_be_missing_at_first(vendors, play, seen) -> None:
    wait = trigger(500, began=BEGAN, never_seen=None if seen else [number_id(500)])
    event = play(fired(wait))
    assert event["status"] == "failed"
    assert vendors.loop.now == (10 if seen else 60)


def test_a_new_number_that_comes_in_time(vendors, play) -> None:
    async def come() -> None:
        number = number_json(500, registrationStatus={"state": "Registered"})
        vendors.of["one"].numbers[number_id(500)] = number

    wait = trigger(500, began=BEGAN, never_seen=[number_id(500)])
    event, _ = play(all_of(fired(wait), later(35, come())))
    assert event["status"] == "active"


def test_a_failure_counts_once_it_has_lasted(vendors, play) -> None:
    async def fail_for_a_moment() -> None:
        vendors.becomes(1, "Failed")
        await asyncio.sleep(20)
        vendors.becomes(1, "Registering")

    recovers = all_of(fired(trigger(1, seconds=150, failed_for=30)), later(15, fail_for_a_moment()))
    assert play(recovers)[0]["status"] == "timeout"


def test_a_failure_that_lasts_ends_the_wait(vendors, play) -> None:
    vendors.becomes(1, "Failed")
    event = play(fired(trigger(1, failed_for=30)))
    assert (event["status"], vendors.loop.now) == ("failed", 40)


# --- what is remembered of a list -----------------------------------------------------------------------------------


def page(*numbers: dict[str, Any], total: int | None = None) -> bytes:
    count = len(numbers) if total is None else total
    return json.dumps({"items": numbers, "totalCount": count, "skip": 0, "take": 1000}).encode()


def test_an_unchanged_number_is_the_same_object_and_a_changed_one_is_not() -> None:
    memory = PageMemory()
    first = memory.read(page(registering(1), registering(2)))
    memory.begin()
    second = memory.read(page(registering(2), registering(1, displayName="New")))
    assert second.items[0] is first.items[1]
    assert second.items[1] is not first.items[0]
    assert second.items[1].display_name == "New"


def test_only_the_last_reading_is_remembered() -> None:
    memory = PageMemory()
    first = memory.read(page(registering(1)))
    for _ in range(2):
        memory.begin()
    assert memory.read(page(registering(1))).items[0] is not first.items[0]


@pytest.mark.parametrize("change", [{"id": 5}, {"credentialsId": None}, {"phoneNumber": 1}])
def test_a_remembered_number_that_became_unreadable_is_refused(change) -> None:
    memory = PageMemory()
    memory.read(page(registering(1)))
    memory.begin()
    with pytest.raises(ValueError, match=r"items\.0"):
        memory.read(page({**registering(1), **change}))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"items": {}}', b'{"items": [null]}', b"<html>"])
def test_what_is_no_page_is_refused(body) -> None:
    with pytest.raises(ValueError):
        PageMemory().read(body)
