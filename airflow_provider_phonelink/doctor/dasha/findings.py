"""What follows from what was read of Dasha BlackBox. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.doctor.dasha import filters, links, registrations
from airflow_provider_phonelink.doctor.dasha.forms import form_of_answers
from airflow_provider_phonelink.doctor.findings import Finding, Level, counted, refused
from airflow_provider_phonelink.doctor.phone_numbers import Known, duplicates, notations

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.dasha.readings import Readings
    from airflow_provider_phonelink.doctor.examination import Circumstances


def findings(readings: Readings, circumstances: Circumstances) -> list[Finding]:
    """Return all findings, in the order in which they are shown."""
    known = [
        Known(number.id, number.phone_number, number.credentials_id.lower()) for number in readings.numbers
    ]
    return [
        numbers(readings),
        *registrations.findings(readings.numbers, circumstances),
        notations(known),
        duplicates(known),
        filters.phone_number_filter(readings),
        *filters.link_filters(readings),
        links.uses(readings, circumstances.settings.source),
        links.by_credentials(readings),
        *links.agents(readings),
        credentials(readings),
        form_of_answers(readings.sample),
    ]


def numbers(readings: Readings) -> Finding:
    """Return how many numbers there are."""
    if readings.complete:
        return Finding(about="numbers", seen=counted(len(readings.numbers), "number"))
    return Finding(
        about="numbers",
        seen=f"{counted(readings.total, 'number')}, of which the first {len(readings.numbers):,} were looked at",
        level=Level.NOTE,
    )


def credentials(readings: Readings) -> Finding:
    """Return how many SIP credentials there are."""
    about = "credentials"
    if readings.credentials is None or isinstance(readings.credentials, Exception):
        return refused(about, readings.credentials or Exception("they were not asked for"))
    used = len({number.credentials_id.lower() for number in readings.numbers})
    total = readings.credentials.total_count
    return Finding(about=about, seen=f"{total:,} SIP credentials; the numbers looked at use {used:,}")
