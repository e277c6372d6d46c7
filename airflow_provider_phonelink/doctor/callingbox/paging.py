"""How CallingBox pages its lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox.endpoints import LARGEST_PAGE
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure, counted, refused, unknown

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.callingbox.readings import Readings


def shape(source: Any) -> Finding:
    """Return how the list of numbers is written. Any of these forms is read."""
    about = "shape of lists"
    if isinstance(source, list):
        return Finding(about=about, seen="a bare array")
    if isinstance(source, dict) and "has_more" in source:
        return Finding(about=about, seen="an object with `data` and `has_more`")
    return Finding(about=about, seen="an object with `data`, and no word on whether it goes on")


def paging(readings: Readings) -> Finding:
    """Return whether the list of numbers comes in pages, and how long they are."""
    about = "paging"
    if readings.stuck is not None:
        advice = "Nothing can be decided on such a list, so tasks fail that need all numbers: report it to the vendor."
        return Finding(about=about, seen=clean(readings.stuck), level=Level.TO_DO, advice=advice)
    one, plain = readings.of_one, readings.of_no_count
    if not isinstance(one, int):
        return refused(about, one or Exception("it was not asked for"))
    if not isinstance(plain, int):
        return refused(about, plain or Exception("it was not asked for"))
    if len(readings.numbers) < 2:
        return unknown(about, "there are too few numbers to tell")
    if one > 1:
        return Finding(about=about, seen="no pages: everything comes at once, whatever `limit` says")
    cap = readings.of_a_hundred
    most = (
        f"at most {counted(cap, 'number')} on a page"
        if cap < LARGEST_PAGE and cap < len(readings.numbers)
        else f"`limit` is respected up to {LARGEST_PAGE}, as far as there are numbers"
    )
    default = (
        f"{counted(plain, 'number')} where no `limit` is sent"
        if plain < len(readings.numbers)
        else "everything where no `limit` is sent, or the numbers are too few to tell"
    )
    return Finding(about=about, seen=f"pages: {most}; {default}", sure=Sure.LIKELY)
