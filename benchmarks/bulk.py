"""Linking many numbers at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, median
from benchmarks.numbers import NUMBERS, number_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.measure import Bench, Sample

LINKS = 5000
LATENCY = 0.020
CONCURRENCY = 32
AGENT = "agent-support"
LIMIT = 0.85
HOW = f"""
`DashaHook.alink_many` over {LINKS:,} links at a concurrency of {CONCURRENCY}, the server answers after
{LATENCY * 1000:.0f} ms. The ideal is links x latency / concurrency = {LINKS * LATENCY / CONCURRENCY:.2f} s; the figure
is the ideal divided by the time that it took. Bare httpx is {CONCURRENCY} workers on one `AsyncClient` that make the
same requests, check the status and read the JSON. Both in one process and event loop, in turn, each once before for
warmth; median. The HTTP provider has no bulk form."""
WHY = f"""
*Link many*: the ideal leaves one event loop {LATENCY / CONCURRENCY * 1e6:.0f} µs of CPU time for each link, and queues
of up to {CONCURRENCY} links eat into it. What a link takes is in the table; nine tenths of it are httpx, httpcore, h11
and anyio. On a machine, or at a time, where that is nearer to the limit, the figure falls, for bare httpx even more."""


def run(bench: Bench) -> list[Row]:
    """Link in one process by hook and by httpx."""
    links = bench.pick(LINKS, LINKS // 5)
    bench.server.set(size=links, latency=LATENCY, state="Registered")
    result = bench.call("bulk:time_bulk", port=bench.server.port, links=links, rounds=bench.pick(5, 1))
    ideal = links * LATENCY / CONCURRENCY
    ours, bare = (ideal / median(result[name]) for name in ("ours", "bare"))
    cpu = {name: f"{median(samples, 'cpu') / links * 1e6:.0f} µs" for name, samples in result.items()}
    return [
        Row(
            "5,000 links: part of the ideal rate",
            f"{ours:.2f}",
            "",
            f"{bare:.2f}",
            f"{ours:.2f} (ideal)",
            f">= {LIMIT} (ideal)",
            ours >= LIMIT,
        ),
        Row("the same, beside bare httpx", f"{ours:.2f}", "", f"{bare:.2f}", f"{ours / bare:.3g} (bare)"),
        Row("the same: CPU time per link", cpu["ours"], "", cpu["bare"]),
    ]


def time_bulk(port: int, links: int, rounds: int) -> dict[str, list[Sample]]:
    """Link in turn."""
    return asyncio.run(_time_bulk(port, links, rounds))


async def _time_bulk(port: int, links: int, rounds: int) -> dict[str, list[Sample]]:
    import httpx

    from airflow_provider_phonelink.hooks.dasha import DashaHook

    hook = DashaHook()
    headers = {"Authorization": "Bearer benchmark-key", "Accept": "application/json"}
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers)

    async def by_hook(ids: list[str]) -> int:
        items = [{"number_id": id_, "agent_id": AGENT} for id_ in ids]
        return sum(result.done for result in await hook.alink_many(items, concurrency=CONCURRENCY))

    ways: dict[str, Callable[[list[str]], Awaitable[int]]] = {
        "ours": by_hook,
        "bare": lambda ids: _by_httpx(client, ids),
    }
    samples: dict[str, list[Sample]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            sample = await _once(way, links if number else links // 10)
            if number:
                samples[name].append(sample)
    await hook.aclose()
    await client.aclose()
    return samples


async def _once(way: Callable[[list[str]], Awaitable[int]], links: int) -> Sample:
    ids = [number_id(index) for index in range(links)]
    wall, cpu = time.perf_counter(), time.process_time()
    done = await way(ids)
    sample = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    if done != links:
        raise AssertionError(f"{done} of {links} links")
    return sample


async def _by_httpx(client: Any, ids: list[str]) -> int:
    remaining, done = iter(ids), []

    async def work() -> None:
        for id_ in remaining:
            path = f"{NUMBERS}/{id_}/agent-link"
            response = await client.put(path, params={"agentId": AGENT, "mode": "inbound"})
            done.append(response.raise_for_status().json()["incomingCallsAgentId"])

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return len(done)
