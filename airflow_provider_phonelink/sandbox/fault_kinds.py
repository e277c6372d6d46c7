"""
How each kind of fault goes wrong.

An executor stands around the request it strikes: `proceed` lets the request take its course and returns the
answer. An executor that does not call it keeps the request from taking effect.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_provider_phonelink.sandbox.answers import Answer, cut_short, dripping, dropped
from airflow_provider_phonelink.sandbox.world import HOME, Refused, stand_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_phonelink.sandbox.exchange import Exchange
    from airflow_provider_phonelink.sandbox.faults import Armed, Fault

    Proceed = Callable[[], Awaitable[Answer]]
    Executor = Callable[["Struck"], Awaitable[Answer]]

GATEWAY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\n"
MAX_INT32 = 2_147_483_647


@dataclass(frozen=True)
class Struck:
    """
    One request a fault strikes.

    :param armed: the fault.
    :param exchange: the request.
    :param proceed: processes the request as usual.
    """

    armed: Armed
    exchange: Exchange
    proceed: Proceed

    @property
    def fault(self) -> Fault:
        """What goes wrong."""
        return self.armed.fault

    async def answered(self) -> Answer:
        """Return the request's answer; it is as if it had taken effect, but if struck before it has not."""
        self.exchange.dry = self.exchange.dry or self.fault.when == "before"
        return await self.proceed()

    async def edited(self, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
        """Return the request's answer with its JSON object changed, if it is a success that has one."""
        answer = await self.proceed()
        document = answer.json()
        if not answer.is_success or not isinstance(document, dict):
            return answer
        return answer.with_json(edit(document))

    async def take_effect(self) -> None:
        """Process the request as usual if the fault applies only after it has taken effect."""
        if self.fault.when == "after":
            await self.proceed()


async def strike(armed: Armed, exchange: Exchange, proceed: Proceed) -> Answer:
    """Carry out a fault."""
    armed.fired += 1
    return await EXECUTORS[armed.fault.kind](Struck(armed, exchange, proceed))


async def _status(struck: Struck) -> Answer:
    """Answer a status of the test's choosing."""
    fault = struck.fault
    await struck.take_effect()
    status = fault.status or 500
    answer = struck.exchange.error(Refused(status, f"{_phrase(status)} (scripted)"))
    if fault.body is not None:
        answer = replace(answer, body=fault.body.encode())
    return answer.with_headers(fault.headers)


async def _html(struck: Struck) -> Answer:
    """Answer a gateway's page: with 200, or as given (502)."""
    fault = struck.fault
    await struck.take_effect()
    status = fault.status or 200
    page = fault.body if fault.body is not None else GATEWAY_PAGE.format(f"{status} {_phrase(status)}")
    return Answer(status, {"content-type": "text/html", **fault.headers}, page.encode())


async def _redirect(struck: Struck) -> Answer:
    """Send the client to another host."""
    fault = struck.fault
    await struck.take_effect()
    location = fault.location.rstrip("/") + struck.exchange.entry.target
    return Answer(fault.status or 307, {"location": location, **fault.headers})


async def _drop(struck: Struck) -> Answer:
    """Close the connection without an answer."""
    await struck.take_effect()
    return dropped(reset=struck.fault.reset)


async def _hang(struck: Struck) -> Answer:
    """Never answer."""
    await struck.take_effect()
    await struck.exchange.hang()
    return dropped()


async def _cut(struck: Struck) -> Answer:
    """Close the connection in the middle of the body."""
    return replace(await struck.answered(), delivery=cut_short)


async def _broken_json(struck: Struck) -> Answer:
    """Answer half of the JSON, as if that were all."""
    answer = await struck.answered()
    return replace(answer, body=answer.body[: len(answer.body) // 2] or b'{"id": "3c9')


async def _slow(struck: Struck) -> Answer:
    """Take time."""
    fault = struck.fault
    if fault.when == "after":
        answer = await struck.proceed()
        await struck.exchange.pause(fault.seconds)
        return answer
    await struck.exchange.pause(fault.seconds)
    return await struck.proceed()


async def _drip(struck: Struck) -> Answer:
    """Send the body in small pieces."""
    return replace(await struck.proceed(), delivery=dripping(struck.exchange.pause, struck.fault.seconds))


async def _ignored(struck: Struck) -> Answer:
    """Answer success, and do nothing."""
    struck.exchange.dry = True
    claimed = await struck.proceed()
    entry = struck.exchange.entry
    resource = re.match(stand_ins()[entry.vendor].resource, entry.path)
    if struck.fault.claim or not claimed.is_success or resource is None:
        return claimed
    return await struck.exchange.read(resource.group())


async def _wrong_id(struck: Struck) -> Answer:
    """Answer something else than was asked for."""
    answer = await struck.answered()
    document = answer.json()
    if not answer.is_success or not isinstance(document, dict):
        return answer
    return answer.with_json({**document, "id": str(uuid4())})


async def _edit(struck: Struck) -> Answer:
    """Change the answer's JSON object."""
    fault = struck.fault

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        edited = _without({**document, **fault.merge}, fault.remove)
        if _is_page(edited):
            edited["items"] = [_without(item, fault.remove) for item in edited["items"]]
        return edited

    return await struck.edited(edit)


async def _repeat_items(struck: Struck) -> Answer:
    """Show the page's first items twice."""

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        if not _is_page(document):
            return document
        return {**document, "items": [*document["items"], *document["items"][: struck.fault.items]]}

    return await struck.edited(edit)


async def _shift_items(struck: Struck) -> Answer:
    """Show a page as if items had come in before it meanwhile: it begins with the last ones of the page before."""
    answer = await struck.proceed()
    page = answer.json()
    if not _is_page(page):
        return answer
    entry = struck.exchange.entry
    skip = max(0, page["skip"] - struck.fault.items)
    query = re.sub(r"(^|&)skip=\d+", "", entry.query_string)
    shifted = (await struck.exchange.read(entry.path, f"{query}&skip={skip}")).json()
    return answer.with_json({**page, "items": shifted["items"]})


async def _endless(struck: Struck) -> Answer:
    """Show a full page, and promise more."""
    answer = await struck.proceed()
    page = answer.json()
    if not _is_page(page):
        return answer
    known = page["items"] or (await struck.exchange.read(struck.exchange.entry.path)).json()["items"]
    if not known:
        return answer
    items = [dict(known[i % len(known)]) for i in range(page["take"])]
    if struck.fault.invent:
        items = [{**item, "id": str(uuid4())} for item in items]
    total = min(page["skip"] + 2 * page["take"], MAX_INT32)
    return answer.with_json({**page, "items": items, "totalCount": total})


async def _rate_limit(struck: Struck) -> Answer:
    """Let so many requests a second through, and answer the others with 429."""
    now = time.monotonic()
    struck.armed.times = [then for then in struck.armed.times if then > now - 1]
    if len(struck.armed.times) < struck.fault.rate:
        struck.armed.times.append(now)
        return await struck.proceed()
    return struck.exchange.error(Refused(429, "Rate limit exceeded")).with_headers(struck.fault.headers)


async def _meanwhile(struck: Struck) -> Answer:
    """Let somebody else act, before the request takes effect or after."""
    if struck.fault.when == "after":
        answer = await struck.proceed()
        await _act(struck.fault, struck.exchange)
        return answer
    await _act(struck.fault, struck.exchange)
    return await struck.proceed()


EXECUTORS: dict[str, Executor] = {
    "status": _status,
    "html": _html,
    "redirect": _redirect,
    "drop": _drop,
    "hang": _hang,
    "cut": _cut,
    "broken_json": _broken_json,
    "slow": _slow,
    "drip": _drip,
    "ignored": _ignored,
    "wrong_id": _wrong_id,
    "edit": _edit,
    "repeat_items": _repeat_items,
    "shift_items": _shift_items,
    "endless": _endless,
    "rate_limit": _rate_limit,
    "meanwhile": _meanwhile,
}


async def _act(fault: Fault, exchange: Exchange) -> None:
    if fault.run is not None:
        fault.run(exchange.stand.world)
    for call in fault.calls:
        method, _, rest = call.partition(" ")
        target, _, body = rest.partition(" ")
        path, _, query = target.partition("?")
        await exchange.put(HOME, method, path, query, body.encode())


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"


def _is_page(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("items"), list)


def _without(document: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
