"""The agents at CallingBox: how they are listed, and which have numbers although they are archived or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import NotFoundError, RejectedError, UnreadableAnswerError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.doctor.callingbox.readings import numbers_by_agent, tells
from airflow_provider_phonelink.doctor.findings import (
    Finding,
    Level,
    Sure,
    as_far_as_read,
    counted,
    named,
    refused,
    unknown,
)
from airflow_provider_phonelink.doctor.phone_numbers import unread_numbers

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.errors import PhonelinkError
    from airflow_provider_phonelink.doctor.callingbox.readings import Readings

#: How to look at what the doctor did not read.
LOOK_AT_AGENTS = (
    "`phonelink agents list` shows all agents that are listed, and `CallingBoxHook.get_agent` one that is not; "
    "`phonelink numbers list` shows all numbers."
)


def findings(readings: Readings) -> list[Finding]:
    """Return all findings on agents."""
    if readings.agents_error is not None:
        refusal = refused("agents", readings.agents_error)
        return [refusal, useless(readings)] if readings.singly else [refusal]
    return [listed(readings), archived(readings), useless(readings)]


def listed(readings: Readings) -> Finding:
    """Return how many agents there are, and whether they come in pages."""
    pages = "at once" if readings.agents_have_more is None else "in pages, with `has_more`"
    count = counted(len(readings.agents), "agent")
    if not readings.agents_complete:
        return Finding(about="agents", seen=f"more than {count}, {pages}", level=Level.NOTE)
    return Finding(about="agents", seen=f"{count}, {pages}")


def archived(readings: Readings) -> Finding:
    """Return whether archived agents are listed."""
    about = "archived agents"
    found = sum(agent.archived for agent in readings.agents)
    if found:
        return Finding(about=about, seen=f"listed: {counted(found, 'agent')}")
    listed = {agent.id for agent in readings.agents}
    if readings.agents_complete and any(
        agent_id not in listed and _archived(reading) for agent_id, reading in readings.singly.items()
    ):
        return Finding(about=about, seen="not listed, but readable by their id", sure=Sure.LIKELY)
    return unknown(about, "none was seen, so it cannot be told whether they are listed")


def useless(readings: Readings) -> Finding:
    """Return which agents have numbers and answer no calls: they are archived or gone."""
    return as_far_as_read(_useless(readings), _unread(readings), LOOK_AT_AGENTS)


def _useless(readings: Readings) -> Finding:
    about, having = "agents gone", numbers_by_agent(readings.numbers)
    listed = {agent.id for agent in readings.agents if agent.archived}
    why = {agent_id: "archived" for agent_id in having if agent_id in listed}
    why |= {agent_id: "archived" for agent_id, reading in readings.singly.items() if _archived(reading)}
    why |= {agent_id: "gone" for agent_id, reading in readings.singly.items() if _gone(reading)}
    likely = {
        agent_id: f"most likely gone: answered {reading.status} as one that does not exist is"
        for agent_id, reading in readings.singly.items()
        if isinstance(reading, RejectedError) and _like_nobody(reading, readings)
    }
    found = [agent_id for agent_id in having if agent_id in why or agent_id in likely]
    if not found:
        return Finding(about=about, seen="no agent that is archived or gone has a number")
    labels = (
        f"{agent_label(agent_id)} ({(why | likely)[agent_id]}; {named(number.label for number in having[agent_id])})"
        for agent_id in found
    )
    return Finding(
        about=about,
        seen=f"archived or gone, and with numbers: {named(labels)}",
        level=Level.TO_DO,
        sure=Sure.LIKELY if likely else Sure.SEEN,
        advice="Give these numbers to other agents, or detach them.",
    )


def _unread(readings: Readings) -> list[str]:
    """Return of which agents it is not known whether they are archived or gone."""
    unasked = [agent_id for agent_id in readings.untold() if agent_id not in readings.singly]
    open_ = [
        f"{agent_label(agent_id)} ({_why_open(reading)})"
        for agent_id, reading in readings.singly.items()
        if not (_told(reading) or _gone(reading) or _like_nobody(reading, readings))
    ]
    silent = sum(not number.tells_links for number in readings.numbers)
    unread = {
        f"whether {counted(len(unasked), 'other agent is', 'other agents are')} archived or gone: "
        f"{named(map(agent_label, unasked))}": unasked,
        f"agents that could not be judged: {named(open_)}": open_,
        f"the agents of {counted(silent, 'number')} that do not say them": silent,
    }
    beyond = unread_numbers(readings.complete, len(readings.numbers))
    return [*(what for what, there in unread.items() if there), *beyond]


def _archived(reading: Agent | PhonelinkError) -> bool:
    return bool(getattr(reading, "archived", False))


def _gone(reading: Agent | PhonelinkError) -> bool:
    return isinstance(reading, NotFoundError)


def _told(reading: Agent | PhonelinkError) -> bool:
    return not isinstance(reading, Exception) and tells(reading)


def _like_nobody(reading: Agent | PhonelinkError, readings: Readings) -> bool:
    """Return whether the vendor refuses an agent as it refuses one that does not exist."""
    nobody = readings.nobody
    return (
        isinstance(reading, RejectedError)
        and isinstance(nobody, RejectedError)
        and reading.status == nobody.status
    )


def _why_open(reading: Agent | PhonelinkError) -> str:
    if not isinstance(reading, Exception):
        return "its answer does not say whether it is archived"
    if isinstance(reading, UnreadableAnswerError):
        return "answered with something unreadable"
    status = getattr(reading, "status", None)
    return f"answered {status}" if status else "not answered"
