"""Readings: nobody waits twice, nobody asks twice, and what was read stays."""

from __future__ import annotations

import asyncio

from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber
from airflow_provider_phonelink.fleet.readings import FRESH_FOR, PAUSE_AFTER_A_FAILURE, Readings


class Vendor:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self.error: Exception | None = None
        self.hold: asyncio.Event | None = None

    async def read(self, conn_id: str) -> Fleet:
        self.asked.append(conn_id)
        if self.hold:
            await self.hold.wait()
        if self.error:
            raise self.error
        return Fleet(numbers=(FleetNumber(id=str(len(self.asked)), phone_number=None),))

    def readings(self) -> Readings:
        return Readings(self.read, clock=lambda: self.now)


def ids(reading) -> list[str]:
    return [number.id for number in reading.fleet.numbers]


def test_a_reading_is_shared_until_it_is_half_a_minute_old() -> None:
    vendor = Vendor()

    async def look() -> None:
        readings = vendor.readings()
        assert ids(await readings.of("a")) == ["1"]
        vendor.now += FRESH_FOR - 0.1
        assert ids(await readings.of("a")) == ["1"]
        vendor.now += 0.1
        assert ids(await readings.of("a")) == ["2"]
        assert ids(await readings.of("b")) == ["3"]

    asyncio.run(look())
    assert vendor.asked == ["a", "a", "b"]


def test_all_who_look_at_once_wait_for_one_reading() -> None:
    vendor = Vendor()

    async def look() -> None:
        vendor.hold = asyncio.Event()
        readings = vendor.readings()
        viewers = [asyncio.create_task(readings.of("a")) for _ in range(5)]
        await asyncio.sleep(0)
        viewers[0].cancel()  # who leaves takes the reading from nobody
        vendor.hold.set()
        assert {tuple(ids(one)) for one in await asyncio.gather(*viewers[1:])} == {("1",)}

    asyncio.run(look())
    assert vendor.asked == ["a"]


def test_a_failure_leaves_the_last_reading_and_is_explained() -> None:
    vendor = Vendor()

    async def look() -> None:
        readings = vendor.readings()
        first = await readings.of("a")
        assert not first.stale
        vendor.now += FRESH_FOR
        vendor.error = RuntimeError("the vendor is down\x1b[2J")
        for _ in range(3):
            failed = await readings.of("a")
            assert (ids(failed), failed.read_at, failed.stale) == (["1"], first.read_at, True)
            assert failed.error == "the vendor is down\\x1b[2J"
        assert len(vendor.asked) == 2  # not again for each viewer
        vendor.now += PAUSE_AFTER_A_FAILURE
        vendor.error = None
        mended = await readings.of("a")
        assert (ids(mended), mended.stale, mended.error) == (["3"], False, None)

    asyncio.run(look())


def test_a_slow_vendor_keeps_nobody_waiting_and_its_answer_is_not_lost() -> None:
    vendor = Vendor()

    async def look() -> None:
        readings = vendor.readings()
        vendor.hold = asyncio.Event()
        slow = await readings.of("a", patience=0)
        assert (slow.fleet, slow.stale) == (None, True)
        assert "under way" in (slow.error or "")
        vendor.hold.set()
        assert ids(await readings.of("a")) == ["1"]

    asyncio.run(look())
    assert vendor.asked == ["a"]


def test_nothing_is_read_while_nobody_looks() -> None:
    vendor = Vendor()

    async def look() -> None:
        readings = vendor.readings()
        await readings.of("a")
        vendor.now += 100 * FRESH_FOR
        for _ in range(50):
            await asyncio.sleep(0)

    asyncio.run(look())
    assert vendor.asked == ["a"]
