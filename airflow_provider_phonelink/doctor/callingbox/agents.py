"""The agents at CallingBox: how they are listed, and which have numbers although they are archived or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.doctor.callingbox.readings import holders
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure, counted, named, refused, unknown

if TYPE_CHECKING:
    from airflow_provider_phonelink.doctor.callingbox.readings import Readings


def findings(readings: Readings) -> list[Finding]:
    """Return all findings on agents."""
    if readings.agents_error is not None:
        return [refused("agents", readings.agents_error)]
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
    if any(_archived(reading) for reading in readings.unlisted.values()):
        return Finding(about=about, seen="not listed, but readable by their id", sure=Sure.LIKELY)
    return unknown(about, "none was seen, so it cannot be told whether they are listed")


def useless(readings: Readings) -> Finding:
    """Return which agents have numbers and answer no calls: they are archived or gone."""
    about = "agents gone"
    having = holders(readings.numbers)
    why = {agent.id: "archived" for agent in readings.agents if agent.archived}
    for agent_id, reading in readings.unlisted.items():
        if reading is None or _archived(reading):
            why[agent_id] = "gone" if reading is None else "archived"
    found = [agent_id for agent_id in having if agent_id in why]
    if not found:
        return Finding(about=about, seen="no agent that is archived or gone was seen to have a number")
    labels = (
        f"{agent_label(agent_id)} ({why[agent_id]}; {named(number.label for number in having[agent_id])})"
        for agent_id in found
    )
    return Finding(
        about=about,
        seen=f"archived or gone, and with numbers: {named(labels)}",
        level=Level.TO_DO,
        advice="Give these numbers to other agents, or detach them.",
    )


def _archived(reading: object) -> bool:
    return bool(getattr(reading, "archived", False))
