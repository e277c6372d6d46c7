"""Reconcile (Dasha): afterwards the links equal the routes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel, as_flow
from airflow_provider_phonelink.api.dasha import endpoints, reads
from airflow_provider_phonelink.api.errors import ChangedMeanwhileError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import DASHA, INBOUND, Link, ListedNumber
from airflow_provider_phonelink.decisions.planning import make_plan
from airflow_provider_phonelink.decisions.routes import wishes_of
from airflow_provider_phonelink.decisions.scope import demand_scope
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import KnownScope, Scope
    from airflow_provider_phonelink.promises.applying import ChangeResult, Report
    from airflow_provider_phonelink.promises.outcomes import Changed

RULES = DASHA


def plan_links(routes: Sequence[Route], *, scope: Scope | None = None, prune: bool = False) -> Flow[Plan]:
    """
    Read the links as they are, and plan the changes that turn them into the routes.

    Inbound links are read with list calls, outbound ones with a read for each number that an outbound route
    names, or that may have an outbound link to prune. Only reads.

    :param scope: Which links may be pruned.
    :param prune: Whether links in scope that no route mentions are to be removed.
    :raises RoutesError: If the routes cannot all come true, or name numbers that are not there.
    """
    demand_scope(scope, prune)
    numbers = yield from _numbers(routes, scope)
    directory = directory_of(numbers)
    wishes = wishes_of(routes, directory, RULES)
    known_scope = scope.within(directory) if scope else None
    reading = _numbers_to_read(wishes, known_scope if prune else None, directory)
    outbound, warnings = yield from read_outbound_links(reading, directory)
    return make_plan(
        wishes,
        [*inbound_links(numbers), *outbound],
        RULES,
        scope=known_scope,
        prune=prune,
        phone_numbers={number.id: number.phone_number for number in directory.numbers.values()},
        warnings=warnings,
    )


def apply_plan(plan: Plan, on_result: Callable[[ChangeResult], None] = lambda _: None) -> Flow[Report]:
    """
    Make the changes of a plan; see :func:`airflow_provider_phonelink.promises.applying.apply_plan`.

    Each change looks again before it writes. A route takes a number from whoever has it by then; a removal
    takes it from the agent in the plan only.
    """
    return applying.apply_plan(plan, _carry_out, on_result)


def directory_of(numbers: Iterable[PhoneNumber]) -> Directory:
    """Return what routes can name."""
    listed = (
        ListedNumber(
            number.id.lower(), number.phone_number, number.provider_id and number.provider_id.lower()
        )
        for number in numbers
    )
    return Directory(listed, uuids=True)


def inbound_links(numbers: Iterable[PhoneNumber]) -> list[Link]:
    """Return the inbound links, which the numbers themselves show."""
    return [
        Link(number.id.lower(), number.incoming_calls_agent_id, INBOUND)
        for number in numbers
        if number.incoming_calls_agent_id
    ]


def read_outbound_links(
    number_ids: Iterable[str], directory: Directory
) -> Flow[tuple[list[Link], list[str]]]:
    """
    Read the outbound links of some numbers, side by side.

    :return: The links, and a warning for each use whose literal is unknown here: it is neither believed to
        be a link nor ever removed.
    """
    answers: list[AffectedAgents] = yield Parallel(
        [as_flow(endpoints.affected_agents(number_id)) for number_id in number_ids]
    )
    links, warnings = [], []
    for answer in answers:
        number_id = answer.id.lower()
        links += [Link(number_id, agent_id, RULES.outbound) for agent_id in sorted(answer.outbound)]
        warnings += [
            f"{directory.label(number_id)}: {agent_label(agent_id)} uses it in a way that is unknown here; that is not "
            "counted as a link and is left alone."
            for agent_id in sorted(answer.maybe_outbound)
        ]
    return links, warnings


def _numbers(routes: Sequence[Route], scope: Scope | None) -> Flow[list[PhoneNumber]]:
    names = [route.number for route in routes] + list((scope.pool if scope else None) or ())
    if names and all(map(is_uuid, names)) and (scope is None or scope.pool is not None):
        reading = yield from reads.read_numbers(name.lower() for name in names)
        for error in reading.errors.values():
            raise error
        return [number for number in reading.numbers.values() if number]
    return (yield from reads.all_numbers())


def _numbers_to_read(wishes: Iterable[Link], pruned: KnownScope | None, directory: Directory) -> list[str]:
    """Return the numbers whose outbound links matter."""
    outbound = [link for link in wishes if link.mode == RULES.outbound]
    routed = {link.number_id for link in outbound}
    if pruned is None or RULES.outbound not in pruned.modes:
        return _in_order(routed, directory)
    # An agent with an outbound route has no other outbound number afterwards, whichever it has now.
    if pruned.agents is not None and pruned.agents <= {link.agent_id for link in outbound}:
        return _in_order(routed, directory)
    return _in_order(
        routed | (directory.numbers.keys() if pruned.numbers is None else pruned.numbers), directory
    )


def _in_order(number_ids: Collection[str], directory: Directory) -> list[str]:
    return [number_id for number_id in directory.numbers if number_id in number_ids]


def _carry_out(change: Change) -> Flow[Changed[PhoneNumber]]:
    return _unlink(change) if change.action == "unlink" else _link(change)


def _link(change: Change) -> Flow[Changed[PhoneNumber]]:
    outcome = yield from link_number(*change.link)
    previous = outcome.previous_agent_id
    if outcome.changed and change.link.mode == INBOUND and previous != change.previous_agent_id:
        planned = agent_label(change.previous_agent_id)
        surprise = (
            f"Number {outcome.subject.label} was with {agent_label(previous)} by then, not with {planned}."
        )
        outcome = replace(outcome, warnings=(*outcome.warnings, surprise))
    return outcome


def _unlink(change: Change) -> Flow[Changed[PhoneNumber]]:
    number_id, agent_id, mode = change.link
    outcome = yield from unlink_number(number_id, mode, agent_id)
    if not outcome.changed and mode == INBOUND and outcome.previous_agent_id not in (None, agent_id):
        raise ChangedMeanwhileError(
            f"Number {outcome.subject.label} was not unlinked: {agent_label(outcome.previous_agent_id)} has it now, "
            f"not {agent_label(agent_id)}. It was left alone. Run the task again to make a new plan."
        )
    return outcome
