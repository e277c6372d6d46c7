"""Many waits in one triggerer process."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Control, Row, compared, median
from benchmarks.numbers import READY, number_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Bench, Sample

WAITS = 1000
MANY = 10_000
INTERVAL = 5.0
#: Numbers of each page that differ from the page before.
CHURN = 10
#: Seconds that all waits together may take to notice that they are over.
PATIENCE = 240
#: Seconds between two looks at the event loop's clock.
TICK = 0.01
HOW = f"""
{WAITS:,} triggers, each waiting for one number that stays unregistered, every {INTERVAL:.0f} s, in one event loop of a
fresh process, each run by Airflow's own `TriggerRunner.run_trigger`. They start evenly spread over one interval. Ours
is the sensor's trigger; {CHURN} numbers of each page differ from the page before. The peer is `HttpSensorTrigger` at an
address that answers 404 with the number until it is registered, which is the one question it can ask. Bare httpx is one
shared `AsyncClient` and a task for each wait, at the same address.

One wait runs alone first, so that everything is imported and connected: the memory added after that, by the number of
waits added, is the memory per wait (RSS, the runner's tasks and greenlets included). After two intervals the process's
CPU time and the server's count of requests are taken over a window of whole intervals; then, apart from that, the event
loop's lag (how late a sleep of {TICK * 1000:.0f} ms ends, 99th percentile). At the end all numbers become registered,
and the run counts only if every wait then ends with its event. The processes alternate; median. {MANY:,} waits are the
same with as many numbers. Connections come from the environment, so reading one costs next to nothing.

Where all time stamps move, every number of the page differs from the page before, in `lastUpdateTime`, `lastUpdated`
and `expiresAt` alone. Beside it the same trigger, woken by each difference, as it was before it was woken only by what
can change its verdict or message."""
WHY = """
*Wait*: Airflow's own runner takes some 15 KiB for each trigger (a task, a greenlet, contexts, log bindings), ours or
not. Full garbage collections, which a bigger process pays more for, are what makes a wait dearer among many."""


def run(bench: Bench) -> list[Row]:
    """Hold the waits in all ways, in turn."""
    samples: dict[str, list[Sample]] = {"ours": [], "peer": [], "bare": []}
    moving: dict[str, list[Sample]] = {"ours": [], "woken": []}
    many: list[Sample] = []
    for _ in range(bench.pick(3, 1)):
        for kind, found in samples.items():
            found.append(_hold(bench, kind, WAITS))
        for kind, found in moving.items():
            found.append(_hold(bench, kind, WAITS, churn=WAITS))
        many.append(_hold(bench, "ours", MANY))
    return [*_thousand(samples), _moving(moving), *_ten_thousand(samples["ours"], many)]


def _hold(bench: Bench, kind: str, waits: int, churn: int = CHURN) -> Sample:
    bench.server.set(size=waits, latency=0, state="Registering", churn=churn)
    window = INTERVAL * bench.pick(4, 2)
    sample: Sample = bench.call("waiting:hold", kind=kind, waits=waits, window=window, port=bench.server.port)
    return sample


def _thousand(samples: dict[str, list[Sample]]) -> list[Row]:
    figures = {
        key: {kind: median(found, key) for kind, found in samples.items()}
        for key in ("requests", "cpu", "memory", "lag")
    }
    lags = figures["lag"]
    return [
        compared("1,000 waits: requests a second", figures["requests"], "peer", "<= 0.01", _plain),
        compared("the same: CPU s a minute", figures["cpu"], "peer", "<= 0.05", _plain),
        compared("the same: memory per wait", figures["memory"], "peer", "<= 0.5", _kibibytes),
        Row("the same: loop lag, p99", _lag(lags["ours"]), _lag(lags["peer"]), _lag(lags["bare"])),
    ]


def _moving(samples: dict[str, list[Sample]]) -> Row:
    ours, woken = (median(samples[kind], "cpu") for kind in ("ours", "woken"))
    case = "1,000 waits, all time stamps move: CPU s a minute"
    shown = f"woken by each: {_plain(woken)}"
    return Row(case, _plain(ours), shown, "", f"{ours / woken:.3g}", "<= 0.5", ours / woken <= 0.5)


def _ten_thousand(few: list[Sample], many: list[Sample]) -> list[Row]:
    def row(case: str, key: str, show: Callable[[float], str], per: float = 0) -> Row:
        """Compare a figure per wait: the whole by the number of waits, times ``per``; or already so (0)."""
        small, large = median(few, key), median(many, key)
        if per:
            small, large = small * per / WAITS, large * per / MANY
        ratio = large / small
        return Row(case, show(large), f"at 1,000: {show(small)}", "", f"{ratio:.3g}", "<= 1", ratio <= 1)

    lag = _lag(median(many, "lag"))
    return [
        row("10,000 waits: requests per 1,000 waits and s", "requests", _plain, 1000),
        row("the same: CPU ms per wait and minute", "cpu", _plain, 1000),
        row("the same: memory per wait", "memory", _kibibytes),
        Row("the same: loop lag, p99; all ended", lag, target="works", met=True),
    ]


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _kibibytes(value: float) -> str:
    return f"{value / 1024:.1f} KiB"


def _lag(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def hold(kind: str, waits: int, window: float, port: int) -> Sample:
    """Run as many waits and measure them, then let them end."""
    return asyncio.run(_hold_waits(kind, waits, window, Control(port)))


async def _hold_waits(kind: str, waits: int, window: float, server: Control) -> Sample:
    import psutil

    process = psutil.Process()
    start, ended = _starter(kind, server.port)
    tasks = [asyncio.create_task(start(0))]
    await asyncio.sleep(INTERVAL * 1.5)
    gc.collect()
    base = process.memory_info().rss
    begun = time.monotonic()
    for index in range(1, waits):
        await asyncio.sleep(max(0.0, begun + INTERVAL * index / waits - time.monotonic()))
        tasks.append(asyncio.create_task(start(index)))
    await asyncio.sleep(INTERVAL * 2)
    sample = await _watch(window, server, process)
    sample["memory"] = (sample["rss"] - base) / (waits - 1)
    sample["lag"] = await _lag_of_loop(INTERVAL * 2)
    await asyncio.to_thread(server.set, state="Registered")
    await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
    if ended() != waits:
        raise AssertionError(f"{ended()} of {waits} waits ended with their event")
    return sample


async def _watch(window: float, server: Control, process: Any) -> Sample:
    """Take CPU time, requests and memory over some seconds."""
    before = (await asyncio.to_thread(server.read))["requests"]
    memory = []
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() < wall + window:
        await asyncio.sleep(1)
        memory.append(process.memory_info().rss)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    after = (await asyncio.to_thread(server.read))["requests"]
    requests = sum(after.values()) - sum(before.values())
    return {"cpu": cpu * 60 / wall, "requests": requests / wall, "rss": statistics.median(memory)}


async def _lag_of_loop(seconds: float) -> float:
    lags = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - now - TICK)
    return statistics.quantiles(lags, n=100)[98]


def _starter(kind: str, port: int) -> tuple[Callable[[int], Any], Callable[[], int]]:
    """Return what starts the wait of an index, and what tells how many have ended with their event."""
    if kind == "bare":
        return _httpx_starter(port)
    from airflow.jobs.triggerer_job_runner import TriggerRunner

    make = {"ours": _our_trigger, "woken": _woken_trigger, "peer": _peer_trigger}[kind]
    runner: Any = TriggerRunner()

    async def start(index: int) -> None:
        trigger = make(index)
        trigger.task_instance = None
        runner.triggers[index] = {"task": None, "is_watcher": False, "name": f"wait {index}", "events": 0}
        await runner.run_trigger(index, trigger)

    return start, lambda: len(runner.events)


def _our_trigger(index: int) -> Any:
    from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

    return DashaRegistrationTrigger(
        phone_number_ids=[number_id(index)],
        dasha_conn_id="dasha_default",
        deadline=time.time() + 3600,
        poll_interval=INTERVAL,
    )


def _woken_trigger(index: int) -> Any:
    """Make our trigger, but let each difference between two looks wake it."""
    trigger = _our_trigger(index)
    trigger._judgements = lambda latest: latest.numbers
    return trigger


def _peer_trigger(index: int) -> Any:
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    return HttpSensorTrigger(
        endpoint=f"{READY}/{number_id(index)}",
        method="GET",
        headers={"Authorization": "Bearer benchmark-key"},
        poke_interval=INTERVAL,
    )


def _httpx_starter(port: int) -> tuple[Callable[[int], Any], Callable[[], int]]:
    import httpx

    headers = {"Authorization": "Bearer benchmark-key", "Accept": "application/json"}
    # More patience than httpx has by itself: a thousand waits share its pool of a hundred connections.
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
    ended = []

    async def start(index: int) -> None:
        while (await client.get(f"{READY}/{number_id(index)}")).status_code == 404:
            await asyncio.sleep(INTERVAL)
        ended.append(index)

    return start, lambda: len(ended)
