"""How the vendor applies the filters of its list. Whatever they do, the package checks every match itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.doctor.examination import answered
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure, refused, unknown

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.dasha.readings import Page, Readings

BY_NUMBER = "filter phoneNumber"
#: What a filter does that lets numbers through by their beginning, by their end.
_MATCHING = {
    (False, False): "compares whole phone numbers",
    (True, False): "matches the beginnings of phone numbers, too",
    (False, True): "matches the ends of phone numbers, too",
    (True, True): "matches parts of phone numbers (a substring), too",
}


def phone_number_filter(readings: Readings) -> Finding:
    """Return how ``phoneNumber`` compares."""
    asked = [reading for reading in (readings.by_beginning, readings.by_end) if reading]
    if len(asked) < 2:
        return unknown(BY_NUMBER, "there is no number to try it with")
    for _, page in asked:
        if isinstance(page, Exception):
            return refused(BY_NUMBER, page)
    if any(_has_others(piece, page) for piece, page in asked):
        return Finding(
            about=BY_NUMBER,
            seen="lets numbers through that have nothing of what is asked for in them",
            level=Level.NOTE,
            sure=Sure.LIKELY,
            advice="Looking a number up reads the whole list; nothing is decided on the filter's word.",
        )
    beginning, end = (_matches_part(piece, page) for piece, page in asked)
    return Finding(about=BY_NUMBER, seen=_MATCHING[beginning, end], sure=Sure.LIKELY)


def link_filters(readings: Readings) -> list[Finding]:
    """Return at which links ``unlinkedOnly`` and ``linkedAgentId`` look."""
    names = ("filter unlinkedOnly", "filter linkedAgentId")
    if readings.only_outbound is None:
        why = "no number was seen that an agent only calls out with, so it cannot be told at which links it looks"
        return [unknown(name, why) for name in names]
    number, agent = readings.only_outbound
    tried = f"tried with {number.label}, with which {agent_label(agent.agent_id)} only calls out"
    return [
        _looks_at(names[0], number.id, readings.unlinked, tried, listed_means_inbound=True),
        _looks_at(names[1], number.id, readings.linked, tried, listed_means_inbound=False),
    ]


def _looks_at(about: str, number_id: str, page: Page, tried: str, *, listed_means_inbound: bool) -> Finding:
    if page is None or isinstance(page, Exception):
        return refused(about, page or Exception("it was not asked for"))
    listed = any(number.id == number_id for number in page.items)
    if not listed and len(page.items) < page.total_count:
        return unknown(about, f"too many numbers came to tell ({page.total_count:,}; {tried})")
    links = "inbound links only" if listed is listed_means_inbound else "inbound and outbound links"
    return Finding(about=about, seen=f"looks at {links} ({tried})", sure=Sure.LIKELY)


def _matches_part(piece: str, page: Page) -> bool:
    found = answered(page)
    return found is not None and any(
        piece in number.phone_number and number.phone_number != piece for number in found.items
    )


def _has_others(piece: str, page: Page) -> bool:
    found = answered(page)
    return found is not None and any(piece not in number.phone_number for number in found.items)
