"""The agents at Dasha BlackBox: how they are listed, and which have numbers although they are gone or switched off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.doctor.dasha.links import LOOK_AT_LINKS, shows_only_used, unread_users
from airflow_provider_phonelink.doctor.findings import (
    Finding,
    Level,
    Sure,
    as_far_as_read,
    counted,
    named,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_phonelink.doctor.dasha.readings import AgentsRead, Readings


def findings(readings: Readings) -> list[Finding]:
    """Return all findings on agents."""
    if readings.agents.error is not None:
        return [refused("agents", readings.agents.error)]
    read, linked = readings.agents, _linked(readings)
    gone, off = _gone(read, linked), _off(read, linked)
    if shows_only_used(readings):
        gone, off = (replace(one, sure=Sure.LIKELY) if one.level is Level.OK else one for one in (gone, off))
    unread = [*_beyond(read, linked), *unread_users(readings)]
    return [
        listed(read),
        as_far_as_read(gone, unread, LOOK_AT_LINKS),
        as_far_as_read(off, [*_silent(read, linked), *unread], LOOK_AT_LINKS),
    ]


def listed(read: AgentsRead) -> Finding:
    """Return how many agents there are, and how the vendor lists them."""
    count = counted(len(read.agents), "agent")
    if read.complete:
        return Finding(about="agents", seen=f"{count}, {_shape(read)}")
    of = f" of {read.total:,}" if read.total is not None else ", and there may be more"
    return Finding(about="agents", seen=f"the first {count}{of}, {_shape(read)}", level=Level.NOTE)


def _gone(read: AgentsRead, linked: Mapping[str, list[str]]) -> Finding:
    about = "agents gone"
    known = {agent.agent_id for agent in read.agents}
    gone = [agent_id for agent_id in linked if agent_id not in known] if read.complete else []
    if not gone:
        return Finding(about=about, seen="every agent that was seen to have a number exists")
    return Finding(
        about=about,
        seen=f"linked to numbers, and not in the list of agents: {named(_with_numbers(gone, linked))}",
        level=Level.TO_DO,
        sure=Sure.LIKELY,
        advice="Unlink them, or give their numbers to others; a route may name an agent of another organisation.",
    )


def _off(read: AgentsRead, linked: Mapping[str, list[str]]) -> Finding:
    about, advice = "agents off", "Switch them on, or give their numbers to others."
    off = [agent.agent_id for agent in read.agents if agent.is_enabled is False and agent.agent_id in linked]
    if off:
        seen = f"switched off, and linked to numbers: {named(_with_numbers(off, linked))}"
        return Finding(about=about, seen=seen, level=Level.TO_DO, advice=advice)
    return Finding(about=about, seen="no agent that is switched off has a number")


def _silent(read: AgentsRead, linked: Mapping[str, list[str]]) -> list[str]:
    """Return of which agents with numbers the list does not say whether they are switched on."""
    silent = [
        agent.agent_id for agent in read.agents if agent.is_enabled is None and agent.agent_id in linked
    ]
    labels = named(_with_numbers(silent, linked))
    return [f"whether these are switched on, as the list does not say it: {labels}"] if silent else []


def _beyond(read: AgentsRead, linked: Mapping[str, list[str]]) -> list[str]:
    """Return which agents with numbers were not read, because the list is too long."""
    known = {agent.agent_id for agent in read.agents}
    beyond = [agent_id for agent_id in linked if agent_id not in known]
    if read.complete or not beyond:
        return []
    first = counted(len(read.agents), "agent")
    return [f"agents that are not among the first {first}: {named(_with_numbers(beyond, linked))}"]


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
    # An agent may answer a number and call out with it, too.
    numbers = {agent_id: dict.fromkeys(linked[agent_id]) for agent_id in agent_ids}
    return (f"{agent_label(agent_id)} ({named(map(clean, found))})" for agent_id, found in numbers.items())


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
