"""The links: how their uses are called, whether they can be read by credentials, and which agents are no use."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.registration import extra_of
from airflow_provider_phonelink.doctor.findings import (
    Finding,
    Level,
    Sure,
    counted,
    named,
    refused,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_phonelink.api.dasha.models import AffectedAgents
    from airflow_provider_phonelink.doctor.dasha.readings import AgentsRead, Readings

BY_CREDENTIALS = "reads by credentials"


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
        return Finding(about=about, seen=f"{seen}; none for an outbound link", sure=Sure.LIKELY)
    return Finding(about=about, seen=seen)


def by_credentials(readings: Readings) -> Finding:
    """Return whether the users of all numbers of one credential can be read at once, and what that shows."""
    costs = "Outbound links are read one request a number where this does not show them."
    if not readings.users:
        return unknown(BY_CREDENTIALS, "there are no numbers to try it with")
    for users in readings.users.values():
        if isinstance(users, Exception):
            return refused(BY_CREDENTIALS, users, costs)
    shown = {
        number.id.lower(): number
        for users in readings.users.values()
        if not isinstance(users, Exception)
        for number in users.phone_numbers
    }
    expected = {
        number.id.lower() for number in readings.numbers if number.credentials_id.lower() in readings.users
    }
    missing = expected - shown.keys()
    if not missing:
        return Finding(about=BY_CREDENTIALS, seen=f"show all of {counted(len(expected), 'number')}")
    if _only_unused_are_missing(missing, shown, readings.singly):
        seen = "show the numbers that an agent uses, and no others"
        return Finding(about=BY_CREDENTIALS, seen=seen, level=Level.NOTE, sure=Sure.LIKELY, advice=costs)
    seen = f"leave out {len(missing):,} of {counted(len(expected), 'number')}"
    return Finding(about=BY_CREDENTIALS, seen=seen, level=Level.NOTE, advice=costs)


def _only_unused_are_missing(
    missing: set[str], shown: Mapping[str, AffectedAgents], singly: Iterable[AffectedAgents]
) -> bool:
    unused_are_shown = any(not number.affected_agents for number in shown.values())
    used_are_missing = any(users.affected_agents for users in singly if users.id.lower() in missing)
    return not unused_are_shown and not used_are_missing


def agents(readings: Readings) -> list[Finding]:
    """Return how the vendor lists agents, and which of them have numbers although they are gone or switched off."""
    read = readings.agents
    if read.error is not None:
        return [refused("agents", read.error)]
    linked = _linked(readings)
    off = [agent.agent_id for agent in read.agents if agent.is_enabled is False and agent.agent_id in linked]
    return [
        Finding(about="agents", seen=f"{counted(len(read.agents), 'agent')}, {_shape(read)}"),
        _gone(read, linked),
        Finding(
            about="agents off",
            seen=f"switched off, and linked to numbers: {named(_with_numbers(off, linked))}",
            level=Level.TO_DO,
            advice="Switch them on, or give their numbers to others.",
        )
        if off
        else Finding(about="agents off", seen="no agent that is switched off has a number"),
    ]


def _gone(read: AgentsRead, linked: Mapping[str, list[str]]) -> Finding:
    about = "agents gone"
    gone = [agent_id for agent_id in linked if agent_id not in {agent.agent_id for agent in read.agents}]
    if not gone:
        return Finding(about=about, seen="every agent that was seen to have a number exists")
    if not read.complete:
        return unknown(about, "the list of agents is too long to tell")
    return Finding(
        about=about,
        seen=f"linked to numbers, and not in the list of agents: {named(_with_numbers(gone, linked))}",
        level=Level.TO_DO,
        sure=Sure.LIKELY,
        advice="Unlink them, or give their numbers to others; a route may name an agent of another organisation.",
    )


def _linked(readings: Readings) -> dict[str, list[str]]:
    """Return the agents that were seen to have numbers, each with these."""
    linked: dict[str, list[str]] = {}
    for number in readings.numbers:
        if number.incoming_calls_agent_id:
            linked.setdefault(number.incoming_calls_agent_id, []).append(number.phone_number)
    for affected in readings.all_users():
        for agent in affected.affected_agents:
            if agent.calls_out is not False:
                linked.setdefault(agent.agent_id, []).append(affected.phone_number or affected.id)
    return linked


def _with_numbers(agent_ids: Iterable[str], linked: Mapping[str, list[str]]) -> Iterable[str]:
    return (f"{agent_label(agent_id)} ({named(map(clean, linked[agent_id]))})" for agent_id in agent_ids)


def _shape(read: AgentsRead) -> str:
    if read.total is not None:
        return "in pages with a count"
    if read.where_one_was_asked_for is None:
        return "as an array; too few to tell whether `take` cuts it"
    return (
        "as an array that `take` cuts"
        if read.where_one_was_asked_for == 1
        else "as an array that is always whole"
    )
