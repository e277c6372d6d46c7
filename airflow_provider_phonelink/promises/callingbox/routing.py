"""Reconcile (CallingBox): afterwards the links equal the routes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.errors import NotNamedError, PhonelinkError, UnreadableAnswerError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import INBOUND, Link, LinkRules, ListedNumber
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.callingbox.attach import (
    NOBODY,
    attach_number,
    detach_number,
    forget,
    put_primaries_right,
)
from airflow_provider_phonelink.promises.routing import Routing, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.applying import ChangeResult, Report
    from airflow_provider_phonelink.promises.callingbox.attach import Remember
    from airflow_provider_phonelink.promises.outcomes import Changed
    from airflow_provider_phonelink.promises.routing import Memory

RULES = LinkRules(outbound="outbound", one_outbound_number=False, default_mode=None, uuids=False)


def survey(routes: Sequence[Route], _: Scope | None) -> Flow[Survey]:
    """Read all numbers, which show all links; and the agents, whose types decide the modes of routes."""
    if not routes:
        numbers = yield from reads.all_numbers()
        return Survey(directory=directory_of(numbers), links=links_of(numbers))
    numbers, agents = yield Parallel([reads.all_numbers(), reads.all_agents()])
    return Survey(
        directory=directory_of(numbers),
        links=links_of(numbers),
        mode_of=partial(_mode, {agent.id: agent for agent in agents}),
    )


def apply_plan(
    plan: Plan,
    on_result: Callable[[ChangeResult], None] = lambda _: None,
    memory: Memory | None = None,
) -> Flow[Report]:
    """
    Make the changes of a plan; see :func:`airflow_provider_phonelink.promises.applying.apply_plan`.

    Changes are made one after the other, because each may change the primary number of its agents. A number is taken
    only from the agent in the plan; if another inbound agent has it by then, it is left for the next run.

    :param memory: Holds what an earlier try left unfinished; updated for later tries before anything is written.
    """
    notes = _Notes(memory)
    report = yield from applying.apply_plan(plan, partial(_carry_out, notes), on_result, side_by_side=False)
    caught_up: list[str] = []
    left_undone: list[PhonelinkError] = []
    for key, note in notes.left_beside(plan.changes).items():
        try:
            caught_up += yield from put_primaries_right(note["number_id"], note, notes.taker(key))
        except PhonelinkError as error:
            left_undone.append(error.with_traceback(None))
    return replace(report, caught_up=tuple(caught_up), left_undone=tuple(left_undone))


def directory_of(numbers: Iterable[Number]) -> Directory:
    """Return the numbers that routes can name."""
    return Directory((ListedNumber(number.id, number.e164) for number in numbers), uuids=False)


def links_of(numbers: Collection[Number]) -> list[Link]:
    """
    Return the links, which the numbers show.

    :raises UnreadableAnswerError: If a number does not show its links.
    """
    links = []
    for number in numbers:
        if not number.tells_links:
            raise UnreadableAnswerError(
                f"the number {number.label} does not say where it is attached.",
                method="GET",
                path="/v1/numbers",
            )
        if number.inbound_agent_id:
            links.append(Link(number.id, number.inbound_agent_id, INBOUND))
        links += [Link(number.id, agent_id, RULES.outbound) for agent_id in number.outbound_agent_ids or ()]
    return links


def _mode(agents: dict[str, Agent], route: Route) -> str:
    """Return the mode of a route, which is the type of its agent."""
    agent = agents.get(route.agent_id)
    if agent is None:
        raise NotNamedError(f"there is no {agent_label(route.agent_id)}")
    mode = agent.type or route.mode
    if mode not in RULES.modes:
        raise NotNamedError(f"{agent_label(route.agent_id)} is neither inbound nor outbound; name the mode")
    if route.mode not in (None, mode):
        raise NotNamedError(f"{agent_label(route.agent_id)} is {mode}, so it cannot be {route.mode}")
    return mode


class _Notes:
    """What a later try has to know about each unfinished change."""

    def __init__(self, memory: Memory | None) -> None:
        self._notes: dict[str, Any] = dict((memory.read() if memory else None) or {})
        self._remember: Remember = memory.write if memory else forget

    def of(self, link: Link) -> Mapping[str, Any] | None:
        """Return what an earlier try stored for the change of a link."""
        return self._notes.get(_key(link))

    def left_beside(self, changes: Iterable[Change]) -> dict[str, Any]:
        """Return what an earlier try stored for changes that are not among these."""
        planned = {_key(change.link) for change in changes}
        return {key: note for key, note in self._notes.items() if key not in planned}

    def taker(self, key: str) -> Remember:
        """Return a function that stores the note for a change."""

        def take(note: Mapping[str, Any] | None) -> None:
            self._notes.pop(key, None)
            if note is not None:
                self._notes[key] = dict(note)
            self._remember(dict(self._notes) or None)

        return take


def _key(link: Link) -> str:
    return f"{link.agent_id}/{link.number_id}"  # neither has a slash in it


def _carry_out(notes: _Notes, change: Change) -> Flow[Changed[Agent]]:
    number_id, agent_id, _ = change.link
    memory: dict[str, Any] = {"earlier": notes.of(change.link), "remember": notes.taker(_key(change.link))}
    if change.action == "unlink":
        return detach_number(agent_id, number_id, **memory)
    return attach_number(
        agent_id,
        number_id,
        if_attached="move",
        only_from=change.previous_agent_id or NOBODY,
        **memory,
    )


ROUTING = Routing(rules=RULES, survey=survey, apply=apply_plan)
