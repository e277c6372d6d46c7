"""Reconcile (CallingBox): afterwards the links equal the routes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.errors import NotNamedError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.links import INBOUND, Link, LinkRules
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.callingbox.attach import (
    NOBODY,
    attach_number,
    detach_number,
    finish,
)
from airflow_provider_phonelink.promises.callingbox.naming import directory_of
from airflow_provider_phonelink.promises.callingbox.primary import note_primary
from airflow_provider_phonelink.promises.journal import Journal, outbound_key
from airflow_provider_phonelink.promises.routing import Routing, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.journal import Entry
    from airflow_provider_phonelink.promises.outcomes import Changed
    from airflow_provider_phonelink.promises.reports import ChangeResult, Report

RULES = LinkRules(
    outbound="outbound",
    one_outbound_number=False,
    default_mode=None,
    uuids=False,
    detaches_to_move=True,
)


def survey(_: Sequence[Route], __: Scope | None) -> Flow[Survey]:
    """Read all numbers, which show all links; and the agents, whose types decide the modes of routes."""
    numbers, agents = yield Parallel([reads.all_numbers(), reads.all_agents()])
    return Survey(
        directory=directory_of(numbers),
        links=links_of(numbers),
        mode_of=partial(_mode, {agent.id: agent for agent in agents}),
        primaries={agent.id: agent.primary_number_id for agent in agents if agent.primary_number_id},
    )


def apply_plan(
    plan: Plan,
    on_result: Callable[[ChangeResult], None] = lambda _: None,
    journal: Journal | None = None,
) -> Flow[Report]:
    """
    Make the changes of a plan; see :func:`airflow_provider_phonelink.promises.applying.apply_plan`.

    Changes are made one after the other, because each may change the primary number of its agents. A number is taken
    only from the agent in the plan; if another inbound agent has it by then, it is left for the next run.
    """
    journal = journal or Journal()
    return applying.apply_plan(
        plan,
        partial(_carry_out, journal),
        on_result,
        journal=journal,
        catch_up=partial(_catch_up, journal),
        side_by_side=False,
    )


def links_of(numbers: Collection[Number]) -> list[Link]:
    """
    Return the links, which the numbers show.

    :raises UnreadableAnswerError: If a number does not show its links.
    """
    links = []
    for number in numbers:
        inbound, outbound = reads.holders(number)
        if inbound:
            links.append(Link(number.id, inbound, INBOUND))
        links += [Link(number.id, agent_id, RULES.outbound) for agent_id in outbound]
    return links


def _mode(agents: dict[str, Agent], route: Route) -> str:
    """Return the mode of a route, which is the type of its agent."""
    agent = agents.get(route.agent_id)
    if agent is None:
        raise NotNamedError(f"there is no {agent_label(route.agent_id)}, or it is archived")
    if agent.archived:
        raise NotNamedError(
            f"number {clean(route.number)} cannot go to {agent_label(agent.id)}, which is archived and answers no calls"
        )
    mode = agent.type or route.mode
    if mode not in RULES.modes:
        raise NotNamedError(f"{agent_label(route.agent_id)} is neither inbound nor outbound; name the mode")
    if route.mode not in (None, mode):
        raise NotNamedError(f"{agent_label(route.agent_id)} is {mode}, so it cannot be {route.mode}")
    return mode


def _carry_out(journal: Journal, change: Change) -> Flow[Changed[Agent]]:
    number_id, agent_id, _ = change.link
    if change.action == "unlink":
        return detach_number(agent_id, number_id, exists=True, journal=journal)
    return attach_number(
        agent_id,
        number_id,
        if_attached="move",
        only_from=change.previous_agent_id or NOBODY,
        journal=journal,
    )


def _catch_up(journal: Journal, key: str, entry: Entry, _: Collection[Link]) -> Flow[list[str]]:
    if key == outbound_key(str(entry.agent_id)):
        yield from note_primary(key, entry, journal)
        return []
    number = yield from reads.find_number(entry.number_id)
    if number is None:
        journal.drop(key)
        return []
    return (yield from finish(key, journal, number))


ROUTING = Routing(rules=RULES, survey=survey, apply=apply_plan)
