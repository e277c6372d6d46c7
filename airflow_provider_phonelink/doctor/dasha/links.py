"""The links: how their uses are called, and whether they can be read by credentials."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.registration import extra_of
from airflow_provider_phonelink.doctor.examination import answered
from airflow_provider_phonelink.doctor.findings import (
    Finding,
    Level,
    Sure,
    as_far_as_read,
    counted,
    refused,
    unknown,
)
from airflow_provider_phonelink.doctor.phone_numbers import unread_numbers

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.dasha.readings import Readings

BY_CREDENTIALS = "reads by credentials"
#: How to look at what the doctor did not read.
LOOK_AT_LINKS = "`phonelink routes export` reads all links, and `phonelink agents list` all agents."


def uses(readings: Readings, source: str) -> Finding:
    """
    Return by which words ``uses`` calls links, and whether one of them is unknown here.

    :param source: How messages refer to the connection.
    """
    about = "words in uses"
    users = [agent for affected in readings.all_users() for agent in affected.affected_agents]
    words = Counter(use for agent in users for use in agent.uses)
    if not words:
        return unknown(about, "no agent was seen to use a number")
    seen = ", ".join(f"{clean(word)} ({count:,})" for word, count in words.most_common())
    strange = sorted({clean(use) for agent in users for use in agent.unknown_uses})
    if strange:
        return Finding(
            about=about,
            seen=f"{seen}; unknown here: {', '.join(strange)}",
            level=Level.TO_DO,
            sure=Sure.UNKNOWN,
            advice=f"If it means that an agent calls out with a number, add it to {extra_of('outbound_uses', source)}. "
            "Until then such links are written once more where they are wished for, and never removed.",
        )
    if not set(map(str.lower, words)) - {INBOUND}:
        seen = f"{seen}; none for an outbound link"
    return as_far_as_read(Finding(about=about, seen=seen), unread_users(readings), LOOK_AT_LINKS)


def by_credentials(readings: Readings) -> Finding:
    """Return whether the users of all numbers of one credential can be read at once, and what that shows."""
    costs = "Outbound links are read one request a number where this does not show them."
    if not readings.users:
        return unknown(BY_CREDENTIALS, "there are no numbers to try it with")
    for users in readings.users.values():
        if isinstance(users, Exception):
            return refused(BY_CREDENTIALS, users, costs)
    shown = {
        number.id: number
        for users in readings.users.values()
        if not isinstance(users, Exception)
        for number in users.phone_numbers
    }
    expected = {number.id for number in readings.numbers if number.credentials_id in readings.users}
    missing = expected - shown.keys()
    if not missing:
        tried = len({number.credentials_id for number in readings.numbers}) == len(readings.users)
        sure = Sure.SEEN if tried and readings.complete else Sure.LIKELY
        seen = f"show all of {counted(len(expected), 'number')}"
        return Finding(about=BY_CREDENTIALS, seen=seen, sure=sure)
    if shows_only_used(readings):
        seen = "show the numbers that an agent uses, and no others"
        return Finding(about=BY_CREDENTIALS, seen=seen, level=Level.NOTE, sure=Sure.LIKELY, advice=costs)
    seen = f"leave out {len(missing):,} of {counted(len(expected), 'number')}"
    return Finding(about=BY_CREDENTIALS, seen=seen, level=Level.NOTE, advice=costs)


def shows_only_used(readings: Readings) -> bool:
    """Return whether it looks as if reads by credentials leave out the numbers that nobody uses, and no others."""
    answers = [found for users in readings.users.values() if (found := answered(users))]
    shown = [number for users in answers for number in users.phone_numbers]
    ids = {number.id for number in shown}
    asked = {number.id for number in readings.numbers if number.credentials_id in readings.users}
    missing = asked - ids
    left_out = [users for users in readings.singly if users.id in missing]
    return (
        bool(missing)
        and len(answers) == len(readings.users)
        and all(number.affected_agents for number in shown)
        and not any(users.affected_agents for users in left_out)
    )


def unread_users(readings: Readings) -> list[str]:
    """Return of which numbers it was not read who calls out with them."""
    left = readings.without_users()
    if shows_only_used(readings):
        left = [number for number in left if number.credentials_id not in readings.users]
    users = (
        [f"who calls out with {len(left):,} of {counted(len(readings.numbers), 'number')}"] if left else []
    )
    return [*users, *unread_numbers(readings.complete, len(readings.numbers))]
