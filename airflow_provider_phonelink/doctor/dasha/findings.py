"""What follows from what was read of Dasha BlackBox. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import InconsistentListError
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.doctor.dasha import agents, filters, links, registrations
from airflow_provider_phonelink.doctor.dasha.forms import form_of_answers
from airflow_provider_phonelink.doctor.findings import Finding, Level, counted, refused, unknown
from airflow_provider_phonelink.doctor.phone_numbers import (
    LIST_NUMBERS,
    Known,
    cut_short,
    duplicates,
    notations,
    unread_numbers,
)

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.dasha.readings import Readings
    from airflow_provider_phonelink.doctor.examination import Circumstances


def findings(readings: Readings, circumstances: Circumstances) -> list[Finding]:
    """Return all findings, in the order in which they are shown."""
    if readings.broken_off and not readings.numbers:
        return [numbers(readings), *agents.findings(readings), credentials(readings)]
    known = [Known(number.id, number.phone_number, number.credentials_id) for number in readings.numbers]
    unread = unread_numbers(readings.complete, len(readings.numbers))
    return [
        numbers(readings),
        *registrations.findings(readings.numbers, circumstances),
        *(unknown("registration", f"not read: {which}", LIST_NUMBERS) for which in unread),
        notations(known),
        duplicates(known, unread),
        filters.phone_number_filter(readings),
        *filters.link_filters(readings),
        links.uses(readings, circumstances.settings.source),
        links.by_credentials(readings),
        *agents.findings(readings),
        credentials(readings),
        form_of_answers(readings.sample),
    ]


def numbers(readings: Readings) -> Finding:
    """Return how many numbers there are, and how many of them the findings are about."""
    about, count = "numbers", counted(len(readings.numbers), "number")
    if readings.complete:
        return Finding(about=about, seen=count)
    error = readings.broken_off
    if isinstance(error, InconsistentListError):
        seen = f"the list {clean(error)}; the findings are about the {count} that were seen"
        return unknown(about, seen, "Run the doctor again when nobody adds or removes numbers.")
    if error is not None:
        return cut_short(len(readings.numbers), error)
    seen = f"{counted(readings.total, 'number')}, of which the first {len(readings.numbers):,} were looked at"
    return Finding(about=about, seen=seen, level=Level.NOTE)


def credentials(readings: Readings) -> Finding:
    """Return how many SIP credentials there are."""
    about = "credentials"
    if readings.credentials is None or isinstance(readings.credentials, Exception):
        return refused(about, readings.credentials or Exception("they were not asked for"))
    used = len({number.credentials_id for number in readings.numbers})
    total = readings.credentials.total_count
    return Finding(about=about, seen=f"{total:,} SIP credentials; the numbers looked at use {used:,}")
