"""One link on a hook that is warm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, alternate, compared, median
from benchmarks.numbers import NUMBERS, number_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Bench, Sample

AGENT = "agent-support"
HOW = """
`DashaHook.link` beside `httpx.Client.put` with the same path, parameters and key, then `raise_for_status()` and
`json()`, and beside `HttpHook("PUT").run` with `json()`. One thread, no latency, one process for all three, each hook
or client made once and used before. They alternate in blocks of calls; a block's time by the number of its calls is a
sample; median. What the *operator* asks for per link is counted by the server while its `execute` runs."""


def run(bench: Bench) -> list[Row]:
    """Link in one process by hook, by httpx and by the HTTP provider's hook."""
    bench.server.set(size=1000, latency=0, state="Registered")
    result = bench.call(
        "linking:time_links", port=bench.server.port, calls=bench.pick(200, 50), rounds=bench.pick(15, 3)
    )
    rows = []
    for key, case in (("wall", "one link, warm hook"), ("cpu", "the same, CPU time")):
        figures = {name: median(samples, key) for name, samples in result.items()}
        rows.append(compared(case, figures, "bare", "<= 1.3", _microseconds))
    bench.server.set(size=1000)
    bench.call("linking:link_by_operator")
    asked = bench.server.read()["requests"]
    counts = ", ".join(f"{number} x {kind}" for kind, number in sorted(asked.items()))
    rows.append(
        Row(
            "requests of the link operator",
            f"{sum(asked.values())} ({counts})",
            "1 (a blind PUT)",
            "1 (a blind PUT)",
        )
    )
    return rows


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs"


def time_links(port: int, calls: int, rounds: int) -> dict[str, list[Sample]]:
    """Make blocks of calls in turn."""
    import httpx
    from airflow.providers.http.hooks.http import HttpHook

    from airflow_provider_phonelink.hooks.dasha import DashaHook

    hook = DashaHook()
    headers = {"Authorization": "Bearer benchmark-key", "Accept": "application/json"}
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers)
    peer = HttpHook(method="PUT")

    def by_httpx(id_: str) -> Any:
        path = f"{NUMBERS}/{id_}/agent-link"
        return client.put(path, params={"agentId": AGENT, "mode": "inbound"}).raise_for_status().json()

    def by_peer(id_: str) -> Any:
        return peer.run(f"{NUMBERS}/{id_}/agent-link?agentId={AGENT}&mode=inbound", headers=headers).json()

    ways: dict[str, Callable[[str], Any]] = {
        "ours": lambda id_: hook.link(id_, AGENT),
        "peer": by_peer,
        "bare": by_httpx,
    }
    return alternate({name: lambda way=way: _block(way, calls) for name, way in ways.items()}, rounds)  # type: ignore[misc]


def _block(way: Callable[[str], Any], calls: int) -> Sample:
    ids = [number_id(index) for index in range(calls)]
    wall, cpu = time.perf_counter(), time.process_time()
    for id_ in ids:
        way(id_)
    return {"wall": (time.perf_counter() - wall) / calls, "cpu": (time.process_time() - cpu) / calls}


def link_by_operator() -> dict[str, Any]:
    """Execute one link operator."""
    from airflow_provider_phonelink.operators.dasha import DashaLinkPhoneNumberOperator

    operator = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number_id(1), agent_id=AGENT)
    return {"changed": operator.execute({})["changed"]}
