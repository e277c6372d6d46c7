"""Reconcile (Dasha): afterwards the links equal the routes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.dasha import outbound, reads
from airflow_provider_phonelink.api.errors import ChangedMeanwhileError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import INBOUND, Link, LinkRules, ListedNumber
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.routing import Routing, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.applying import ChangeResult, Report
    from airflow_provider_phonelink.promises.outcomes import Changed
    from airflow_provider_phonelink.promises.routing import Memory

RULES = LinkRules(
    outbound="replaceOutbound",
    one_outbound_number=True,
    default_mode=INBOUND,
    uuids=True,
    scope_keys=("agents", "provider_id", "pool", "modes"),
)


def survey(routes: Sequence[Route], scope: Scope | None) -> Flow[Survey]:
    """Read the numbers, which show their inbound links: as a list or, if all are named by id, in the cheapest way."""
    numbers = yield from _numbers(routes, scope)
    return Survey(directory=directory_of(numbers), links=inbound_links(numbers))


def apply_plan(
    plan: Plan, on_result: Callable[[ChangeResult], None] = lambda _: None, _: Memory | None = None
) -> Flow[Report]:
    """
    Make the changes of a plan; see :func:`airflow_provider_phonelink.promises.applying.apply_plan`.

    Each change looks again before it writes. A route takes a number from whichever agent has it by then; a removal
    takes it only from the agent in the plan. Nothing needs to be stored: the links show what is left to do.
    """
    return applying.apply_plan(plan, _carry_out, on_result)


def directory_of(numbers: Iterable[PhoneNumber]) -> Directory:
    """Return the numbers that routes can name."""
    listed = (
        ListedNumber(
            number.id.lower(),
            number.phone_number,
            number.provider_id and number.provider_id.lower(),
            number.credentials_id.lower(),
        )
        for number in numbers
    )
    return Directory(listed, uuids=True)


def inbound_links(numbers: Iterable[PhoneNumber]) -> list[Link]:
    """Return the inbound links, which the numbers show."""
    return [
        Link(number.id.lower(), number.incoming_calls_agent_id, INBOUND)
        for number in numbers
        if number.incoming_calls_agent_id
    ]


def read_outbound_links(
    number_ids: Iterable[str], directory: Directory
) -> Flow[tuple[list[Link], list[str]]]:
    """
    Read the outbound links of some numbers, with a request for each of their SIP credentials or for each of them.

    :return: The links, and a warning for each use whose literal is unknown here. Such a use does not count as a link
        and is never removed.
    """
    asked = {number_id: directory.numbers[number_id].credentials_id for number_id in number_ids}
    users = yield from outbound.users_of(asked)
    links, warnings = [], []
    for number_id, answer in users.items():
        if number_id not in asked:
            continue
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


ROUTING = Routing(rules=RULES, survey=survey, apply=apply_plan, outbound_links=read_outbound_links)
