"""Listing many numbers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Union, get_args

from benchmarks.measure import Row, alternate, compared, median, milliseconds
from benchmarks.numbers import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Bench, Sample

NUMBERS_LISTED = 10_000
PAGE = 1000
CONCURRENCY = 8
LATENCY = 0.005
#: How long a vendor far away takes to answer.
FAR = 0.08
HOW = f"""
{NUMBERS_LISTED:,} numbers in pages of {PAGE:,}, the server answers after {LATENCY * 1000:.0f} ms. Ours is
`DashaHook.list_numbers` on a warm hook. Bare httpx is one reused `AsyncClient` that reads the first page, then all
others, {CONCURRENCY} at once, each read into pydantic models with the same fields; in a running event loop. The peer is
`HttpOperator(method="GET", pagination_function=..., response_filter=...)` with the same page size, its `execute` called
directly, the filter turning the answers into a list of dicts. All in one process, in turn; median. The result of each
is checked to have all numbers. Beside it: the async `alist_numbers`; our operator, whose result is JSON for XCom again;
and the peer with a filter that makes the same models of the answers as bare httpx, which is what ours does. Ours
reads one page more than the others: the last one is full, and that nothing comes after it, only the next one shows.
*At {FAR * 1000:.0f} ms* is the same where the server answers after {FAR * 1000:.0f} ms, as a vendor far away does."""
WHY = """
*List*: at 1,000 numbers a page, ten requests wait for 50 ms in all, of which reading side by side can save 40. The
rest is CPU time, and most of ours is the models (10,000 numbers, as many registration states, four dates each), which
the peer does not make: it returns what `json.loads` gives. Three times faster than that is out of reach for models."""


def run(bench: Bench) -> list[Row]:
    """List in one process, in all ways."""
    bench.server.set(size=NUMBERS_LISTED, latency=LATENCY, state="Registered")
    result = bench.call("listing:time_lists", port=bench.server.port, rounds=bench.pick(15, 3))
    far = _far(bench)
    wall = {name: median(samples) for name, samples in result.items()}
    cpu = {name: median(samples, "cpu") for name, samples in result.items()}
    main: dict[str, float] = {name: wall[name] for name in ("ours", "peer", "bare")}
    return [
        compared("list 10,000 numbers", main, "bare", "<= 1.3", milliseconds),
        compared("the same", main, "peer", ">= 3", milliseconds),
        compared(f"the same at {FAR * 1000:.0f} ms", far, "peer", ">= 2", milliseconds),
        Row(
            "the same, the peer with models",
            milliseconds(wall["ours"]),
            milliseconds(wall["modelled"]),
            ratio=f"{wall['modelled'] / wall['ours']:.3g} (peer)",
        ),
        Row(
            "the same, CPU time",
            milliseconds(cpu["ours"]),
            milliseconds(cpu["peer"]),
            milliseconds(cpu["bare"]),
        ),
        Row(
            "the same, async", milliseconds(wall["async"]), ratio=f"{wall['async'] / wall['bare']:.3g} (bare)"
        ),
        Row(
            "the same, by operator",
            f"{milliseconds(wall['operator'])}; only ids {milliseconds(wall['ids'])}",
            milliseconds(wall["peer"]),
            ratio=f"{wall['peer'] / wall['operator']:.3g} (peer)",
        ),
    ]


def _far(bench: Bench) -> dict[str, float]:
    """List from a vendor far away."""
    bench.server.set(size=NUMBERS_LISTED, latency=FAR, state="Registered")
    only = ["ours", "peer", "bare"]
    result = bench.call("listing:time_lists", port=bench.server.port, rounds=bench.pick(9, 3), only=only)
    return {name: median(samples) for name, samples in result.items()}


def time_lists(port: int, rounds: int, only: list[str] | None = None) -> dict[str, list[Sample]]:
    """List in turn: in all ways, or in some."""
    import httpx

    from airflow_provider_phonelink.hooks.dasha import DashaHook
    from airflow_provider_phonelink.operators.dasha import DashaListPhoneNumbersOperator

    loop = asyncio.new_event_loop()
    hook = DashaHook()
    page_model = _models()
    peer = _peer_operator(lambda response: response.json()["items"])
    modelled = _peer_operator(lambda response: page_model.model_validate_json(response.content).items)
    headers = {"Authorization": "Bearer benchmark-key", "Accept": "application/json"}
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers)
    ways: dict[str, Callable[[], Any]] = {
        "ours": hook.list_numbers,
        "peer": lambda: peer.execute({}),
        "modelled": lambda: modelled.execute({}),
        "bare": lambda: loop.run_until_complete(_list_by_httpx(client, page_model)),
        "async": lambda: loop.run_until_complete(hook.alist_numbers()),
        "operator": lambda: DashaListPhoneNumbersOperator(task_id="list").execute({}),
        "ids": lambda: DashaListPhoneNumbersOperator(task_id="list", fields="id").execute({}),
    }
    chosen = {name: way for name, way in ways.items() if only is None or name in only}
    return alternate({name: lambda way=way: _once(way) for name, way in chosen.items()}, rounds)  # type: ignore[misc]


def _once(way: Callable[[], Any]) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    numbers = way()
    sample = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    if len(numbers) != NUMBERS_LISTED:
        raise AssertionError(f"{len(numbers)} numbers")
    return sample


def _models() -> Any:
    """Return plain pydantic models with the fields of our own."""
    from pydantic import BaseModel, create_model
    from pydantic.alias_generators import to_camel

    from airflow_provider_phonelink.api import dasha

    def plain(model: Any, **replaced: Any) -> Any:
        fields = {
            name: (
                replaced.get(name) or _plain(field.annotation),
                ... if field.is_required() else field.default,
            )
            for name, field in model.model_fields.items()
        }
        config = {"alias_generator": to_camel}
        return create_model(model.__name__, __config__=config, **fields)  # type: ignore[call-overload]

    status = plain(dasha.models.RegistrationStatus)
    number: type[BaseModel] = plain(dasha.models.PhoneNumber, registration_status=status)
    return plain(dasha.models.PhoneNumberPage, items=list[number])  # type: ignore[valid-type]


def _plain(annotation: Any) -> Any:
    """Return a type without what else our own models read into it."""
    kinds = [kind for kind in get_args(annotation) if isinstance(kind, type)]
    return Union[tuple(kinds)] if kinds else annotation  # noqa: UP007 - of as many as there are


async def _list_by_httpx(client: Any, page_model: Any) -> list[Any]:
    slots = asyncio.Semaphore(CONCURRENCY)

    async def page(skip: int) -> Any:
        async with slots:
            response = await client.get(NUMBERS, params={"skip": skip, "take": PAGE})
        return page_model.model_validate_json(response.raise_for_status().content)

    first = await page(0)
    rest = await asyncio.gather(*(page(skip) for skip in range(PAGE, first.total_count, PAGE)))
    return [number for each in (first, *rest) for number in each.items]


def _peer_operator(items_of: Callable[[Any], list[Any]]) -> Any:
    from airflow.providers.http.operators.http import HttpOperator

    def next_page(response: Any) -> dict[str, Any] | None:
        page = response.json()
        skip = page["skip"] + len(page["items"])
        return {"data": {"skip": skip}} if skip < page["totalCount"] else None

    return HttpOperator(
        task_id="list",
        method="GET",
        endpoint=NUMBERS,
        data={"skip": 0, "take": PAGE},
        pagination_function=next_page,
        response_filter=lambda responses: [item for response in responses for item in items_of(response)],
    )
