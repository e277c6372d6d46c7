"""A day of polling, shortened: nothing may grow."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row
from benchmarks.numbers import number_id

if TYPE_CHECKING:
    from benchmarks.measure import Bench

WAITS = 200
INTERVAL = 0.1
SAMPLES = 20
#: Memory may grow by so much between the second quarter and the last: the allocator's noise.
MEMORY_NOISE = 1024 * 1024
HOW = f"""
{WAITS} waits on one connection, polled every {INTERVAL} s for a minute, which is as many polls as ten hours at an
interval of 60 s; some numbers change between any two. Every second a quarter of the waits is cancelled and as many
begin; besides, a second connection's only wait ends and begins, so that its poller and its client do too. Open file
descriptors, asyncio tasks and RSS are sampled {SAMPLES} times, after a garbage collection; the medians of the second
quarter and of the last are compared."""


def run(bench: Bench) -> list[Row]:
    """Poll for a minute."""
    bench.server.set(size=1000, latency=0, state="Registering", churn=10)
    seconds = bench.pick(60, 10)
    result = bench.call("soak:soak", seconds=seconds)
    asked = sum(bench.server.read()["requests"].values())
    half, quarter = SAMPLES // 2, SAMPLES // 4

    def ends(key: str) -> tuple[float, float]:
        return statistics.median(result[key][quarter:half]), statistics.median(result[key][-quarter:])

    files, tasks, memory = ends("files"), ends("tasks"), ends("memory")
    growth = memory[1] - memory[0]
    counts = f"files {files[0]:.0f} → {files[1]:.0f}, tasks {tasks[0]:.0f} → {tasks[1]:.0f}"
    shown = f"{counts}, RSS {growth / 1024:+.0f} KiB"
    flat = files[0] >= files[1] and tasks[0] >= tasks[1] and growth <= MEMORY_NOISE
    return [Row(f"soak, {seconds} s, {asked} requests", shown, target="flat", met=flat)]


def soak(seconds: float) -> dict[str, list[float]]:
    """Poll, and look now and then at what is open."""
    import json
    import os

    place = json.loads(os.environ["AIRFLOW_CONN_DASHA_DEFAULT"])
    os.environ["AIRFLOW_CONN_DASHA_OTHER"] = json.dumps(place)
    return asyncio.run(_soak(seconds))


async def _soak(seconds: float) -> dict[str, list[float]]:
    import psutil

    process = psutil.Process()
    found: dict[str, list[float]] = {"files": [], "tasks": [], "memory": []}
    waits = [asyncio.create_task(_wait(index)) for index in range(WAITS)]
    step = 0
    for number in range(SAMPLES):
        end = time.monotonic() + seconds / SAMPLES
        while time.monotonic() < end:
            other = asyncio.create_task(_wait(0, "dasha_other"))
            await asyncio.sleep(min(1.0, seconds / SAMPLES / 2))
            step += 1
            await _stop(other)
            for index in range(step % 4, WAITS, 4):
                await _stop(waits[index])
                waits[index] = asyncio.create_task(_wait(index + number))
        await asyncio.sleep(INTERVAL * 2)
        gc.collect()
        found["files"].append(process.num_fds())
        found["tasks"].append(len(asyncio.all_tasks()))
        found["memory"].append(process.memory_info().rss)
    for task in waits:
        await _stop(task)
    found["files"].append(process.num_fds())
    if len(asyncio.all_tasks()) != 1:
        raise AssertionError(f"left: {asyncio.all_tasks()}")
    return {key: values[:SAMPLES] for key, values in found.items()}


async def _stop(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _wait(index: int, connection: str = "dasha_default") -> None:
    from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

    trigger = DashaRegistrationTrigger(
        phone_number_ids=[number_id(index)],
        dasha_conn_id=connection,
        deadline=time.time() + 3600,
        poll_interval=INTERVAL,
    )
    try:
        async for event in trigger.run():
            raise AssertionError(f"an end that nobody asked for: {event.payload}")
    finally:
        await trigger.cleanup()
