"""From facts to HTML. Jinja2 escapes all text, a vendor's too."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.registration import Verdict
from airflow_provider_phonelink.fleet.changes import Lane, spans_of_agent, spans_of_number
from airflow_provider_phonelink.fleet.rows import cut
from airflow_provider_phonelink.fleet.timeline import timeline_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jinja2 import Environment

    from airflow_provider_phonelink.fleet.changes import Origin, PastChange
    from airflow_provider_phonelink.fleet.facts import Facts
    from airflow_provider_phonelink.fleet.rows import Row, View

#: The columns of the table: what they are sorted by, and their headings.
COLUMNS = (
    ("phone_number", "Phone number"),
    ("name", "Name"),
    ("verdict", "Registration"),
    ("inbound", "Answered by"),
    ("outbound", "Caller ID of"),
    ("drift", "Routes"),
    ("changed", "Last change"),
    ("vendor", "Vendor"),
)
_REFUSALS = {
    401: "Sign in to Airflow to see this page.",
    403: "You may not see this page: it takes the permission to read connections.",
    404: "There is no such page.",
    503: "Numbers would be missing: a connection could not be read yet. The page of all phone numbers says why.",
}


def numbers_page(base: str, facts: Facts, view: View, now: datetime) -> str:
    """Return the page with the table of all numbers."""
    rows = view.select(facts.rows)
    shown, pages = cut(rows, view.page)
    return _rendered(
        "numbers.html",
        base=base,
        facts=facts,
        view=view,
        columns=[column for column in COLUMNS if column[0] != "drift" or facts.wishes],
        found=len(rows),
        rows=shown,
        page=min(view.page, pages),
        pages=pages,
        vendors=_vendor_names(),
        verdicts=[verdict.value for verdict in Verdict],
        now=now,
    )


def number_page(base: str, facts: Facts, row: Row, now: datetime) -> str:
    """Return the page of one number."""
    number = row.number
    changes = facts.changes_of_number(row.connection, number.id)
    linked = [Lane(False, agent_id) for agent_id in number.outbound_agent_ids]
    if number.inbound_agent_id:
        linked.append(Lane(True, number.inbound_agent_id))
    spans = spans_of_number(changes, number.id, linked, facts.readings[row.connection].read_at)
    return _rendered(
        "number.html",
        base=base,
        facts=facts,
        row=row,
        changes=changes,
        timeline=timeline_of(
            spans,
            now,
            lambda lane: f"{'answered by' if lane.inbound else 'caller ID of'} {row.named(lane.id)}",
        ),
        vendors=_vendor_names(),
        now=now,
    )


def agent_page(base: str, facts: Facts, conn_id: str, agent_id: str, now: datetime) -> str:
    """Return the page of one agent."""
    rows = facts.having(conn_id, agent_id)
    inbound = [row for row in rows if row.number.inbound_agent_id == agent_id]
    outbound = [row for row in rows if agent_id in row.number.outbound_agent_ids]
    changes = facts.changes_of_agent(conn_id, agent_id)
    linked = [Lane(True, row.number.id) for row in inbound]
    linked += [Lane(False, row.number.id) for row in outbound]
    spans = spans_of_agent(changes, agent_id, linked, facts.readings[conn_id].read_at)
    return _rendered(
        "agent.html",
        base=base,
        facts=facts,
        conn_id=conn_id,
        agent_id=agent_id,
        inbound=inbound,
        outbound=outbound,
        changes=changes,
        timeline=timeline_of(
            spans,
            now,
            lambda lane: (
                f"{'answers' if lane.inbound else 'calls with'} {facts.phone_number(conn_id, lane.id)}"
            ),
        ),
        vendors=_vendor_names(),
        now=now,
    )


def unread_page(
    base: str, facts: Facts, conn_id: str, name: str, changes: Sequence[PastChange], now: datetime
) -> str:
    """
    Return the page of a number or an agent of which the vendor has not told.

    :param name: What people call it.
    """
    return _rendered(
        "unread.html",
        base=base,
        facts=facts,
        conn_id=conn_id,
        name=name,
        changes=changes,
        vendors=_vendor_names(),
        now=now,
    )


def refusal(base: str, status: int) -> str:
    """Return a page that tells why there is nothing to see."""
    why = _REFUSALS.get(status, "This page cannot be shown.")
    return _rendered("refusal.html", base=base, why=why)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, in the largest unit of which it is at least two."""
    seconds = (now - moment).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            number = int(abs(seconds) // length)
            return f"in {number} {unit}" if seconds < 0 else f"{number} {unit} ago"
    return f"in {-int(seconds)} s" if seconds <= -1 else f"{max(0, int(seconds))} s ago"


def _segment(text: str) -> str:
    return quote(text, safe="")


def _run(origin: Origin) -> str:
    """Return where Airflow's UI shows the task of a change, below its own address."""
    mapped = f"/mapped/{origin.map_index}" if origin.map_index >= 0 else ""
    dag, run, task = map(_segment, origin[:3])
    return f"/dags/{dag}/runs/{run}/tasks/{task}{mapped}"


def _vendor_names() -> dict[str, str]:
    return {vendor.key: vendor.name for vendor in vendors.VENDORS}


def _rendered(template: str, **facts: Any) -> str:
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("airflow_provider_phonelink.fleet"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(ago=ago, clean=clean, segment=_segment, run=_run)
    return environment
