"""What the phone numbers of an account look like, and which exist twice."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.labels import number_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.doctor.findings import (
    Finding,
    Level,
    Sure,
    as_far_as_read,
    counted,
    named,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How to look at what the doctor did not read.
LIST_NUMBERS = "`phonelink numbers list` shows all numbers."
_PLUS = re.compile(r"\+[0-9]+")
_DIGITS = re.compile(r"[0-9]+")


class Known(NamedTuple):
    """A number, as far as its phone number is concerned."""

    number_id: str
    phone_number: str
    #: What makes another number with the same phone number a different one, such as its SIP credentials.
    within: str = ""


def notation(phone_number: str) -> str:
    """Return in which notation a phone number is written."""
    if _PLUS.fullmatch(phone_number):
        return "plus and digits"
    return "digits only" if _DIGITS.fullmatch(phone_number) else "other"


def notations(numbers: Sequence[Known]) -> Finding:
    """Return in which notations the numbers are stored: how the vendor does it shows only if it does so to all."""
    about = "notation"
    counts = Counter(notation(number.phone_number) for number in numbers)
    if not counts:
        return unknown(about, "there are no numbers to tell by")
    seen = ", ".join(f"{counted(count, 'number')}: {how}" for how, count in counts.most_common())
    if set(counts) == {"digits only"}:
        advice = (
            "The vendor may store numbers without the plus; tasks and routes find them in either notation."
        )
        return Finding(about=about, seen=seen, level=Level.NOTE, sure=Sure.LIKELY, advice=advice)
    return Finding(about=about, seen=seen)


def unread_numbers(complete: bool, count: int) -> list[str]:
    """Return what was not read where the list of numbers was not read to its end."""
    if complete:
        return []
    return [f"all but {counted(count, 'number')}" if count else "the numbers"]


def cut_short(count: int, error: Exception) -> Finding:
    """Return that the list of numbers was refused, at once or after some pages."""
    seen, advice = clean(error), "Tasks that need all numbers fail in the same way."
    if count:
        seen = f"{counted(count, 'number')} could be read, and then no more: {seen}"
        advice = f"Run the doctor again. If it says the same: {advice}"
    return Finding(about="numbers", seen=seen, level=Level.TO_DO, sure=Sure.UNKNOWN, advice=advice)


def duplicates(numbers: Iterable[Known], unread: Sequence[str] = ()) -> Finding:
    """
    Return which phone numbers exist several times, written in different ways.

    :param unread: What was not read of the numbers.
    """
    return as_far_as_read(_duplicates(numbers), unread, LIST_NUMBERS)


def _duplicates(numbers: Iterable[Known]) -> Finding:
    about = "same number twice"
    alike: defaultdict[tuple[str, str], list[Known]] = defaultdict(list)
    for number in numbers:
        alike[e164(number.phone_number) or number.phone_number, number.within].append(number)
    twice = [group for group in alike.values() if len(group) > 1]
    if not twice:
        return Finding(about=about, seen="no phone number exists twice, in whatever notation")
    groups = (
        " = ".join(number_label(number.number_id, number.phone_number) for number in group) for group in twice
    )
    return Finding(
        about=about,
        seen=f"{counted(len(twice), 'phone number exists', 'phone numbers exist')} several times: {named(groups)}",
        level=Level.TO_DO,
        advice="Delete the ones that are not used; name the others by their ids in tasks and routes.",
    )
