"""Export: today's links as routes, so that declaring them starts from reality. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import reads as callingbox_reads
from airflow_provider_phonelink.api.dasha import reads as dasha_reads
from airflow_provider_phonelink.promises.callingbox import routing as callingbox_routing
from airflow_provider_phonelink.promises.dasha import routing as dasha_routing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.links import Link
    from airflow_provider_phonelink.decisions.scope import Scope

Exported = tuple[list[dict[str, Any]], list[str]]


def dasha_routes(scope: Scope | None = None) -> Flow[Exported]:
    """
    Read Dasha's links and return a route for each, and warnings. Each number in scope is read.

    :param scope: Which links; None for all.
    """
    numbers = yield from dasha_reads.all_numbers()
    directory = dasha_routing.directory_of(numbers)
    known = scope.within(directory) if scope else None
    links = dasha_routing.inbound_links(numbers)
    warnings: list[str] = []
    if known is None or dasha_routing.RULES.outbound in known.modes:
        wanted = directory.numbers if known is None or known.numbers is None else known.numbers
        reading = [number_id for number_id in directory.numbers if number_id in wanted]
        outbound, warnings = yield from dasha_routing.read_outbound_links(reading, directory)
        links += outbound
    return _routes((link for link in links if known is None or known.covers(link)), directory), warnings


def callingbox_routes(scope: Scope | None = None) -> Flow[Exported]:
    """
    Read CallingBox's links and return a route for each.

    :param scope: Which links; None for all.
    """
    numbers = yield from callingbox_reads.all_numbers()
    directory = callingbox_routing.directory_of(numbers)
    known = scope.within(directory) if scope else None
    links = callingbox_routing.links_of(numbers)
    return _routes((link for link in links if known is None or known.covers(link)), directory), []


def _routes(links: Iterable[Link], directory: Directory) -> list[dict[str, Any]]:
    return [
        {"number": directory.plain_name(link.number_id), "agent_id": link.agent_id, "mode": link.mode}
        for link in links
    ]
