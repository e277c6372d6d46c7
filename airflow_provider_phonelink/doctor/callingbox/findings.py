"""What follows from what was read of CallingBox. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.doctor.callingbox import agents, forms, paging
from airflow_provider_phonelink.doctor.findings import Finding, Level, counted
from airflow_provider_phonelink.doctor.phone_numbers import (
    Known,
    cut_short,
    duplicates,
    notations,
    unread_numbers,
)

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.callingbox.readings import Readings
    from airflow_provider_phonelink.doctor.examination import Circumstances


def findings(readings: Readings, circumstances: Circumstances) -> list[Finding]:
    """Return all findings, in the order in which they are shown."""
    if readings.broken_off and not readings.numbers:
        return [numbers(readings), *agents.findings(readings), forms.errors(circumstances.traffic)]
    known = [Known(number.id, number.e164) for number in readings.numbers if number.e164]
    unread = unread_numbers(readings.complete, len(readings.numbers))
    if silent := len(readings.numbers) - len(known):
        unread.append(f"the phone numbers of {counted(silent, 'number')} that do not say them")
    return [
        numbers(readings),
        notations(known),
        duplicates(known, unread),
        paging.shape(readings.source),
        paging.paging(readings),
        forms.links_shown(readings),
        forms.no_outbound(readings.source),
        *agents.findings(readings),
        forms.errors(circumstances.traffic),
    ]


def numbers(readings: Readings) -> Finding:
    """Return how many numbers there are, and how many of them nobody uses: they are billed."""
    if readings.broken_off is not None:
        return cut_short(len(readings.numbers), readings.broken_off)
    if not readings.complete:
        seen = f"more than {counted(len(readings.numbers), 'number')}, of which those were looked at"
        return Finding(about="numbers", seen=seen, level=Level.NOTE)
    unused = sum(
        number.tells_links and not number.inbound_agent_id and not number.outbound_agent_ids
        for number in readings.numbers
    )
    without = f"; {unused:,} with no agent (they are billed all the same)" if unused else ""
    return Finding(about="numbers", seen=f"{counted(len(readings.numbers), 'number')}{without}")
