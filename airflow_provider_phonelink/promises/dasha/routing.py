"""Reconcile (Dasha): afterwards the links equal the routes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads
from airflow_provider_phonelink.api.errors import (
    ChangedMeanwhileError,
    NotFoundError,
    NotTakenEffectError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.links import INBOUND, Link, LinkRules
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.dasha.giving_back import link_back
from airflow_provider_phonelink.promises.dasha.link import ANYBODY, link_number
from airflow_provider_phonelink.promises.dasha.naming import directory_of
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.journal import Journal, State, inbound_key
from airflow_provider_phonelink.promises.routing import Routing, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.journal import Entry
    from airflow_provider_phonelink.promises.outcomes import Changed
    from airflow_provider_phonelink.promises.reports import ChangeResult, Report

RULES = LinkRules(
    outbound="replaceOutbound",
    one_outbound_number=True,
    default_mode=INBOUND,
    uuids=True,
    scope_keys=("agents", "provider_id", "pool", "modes"),
)


def survey(routes: Sequence[Route], scope: Scope | None) -> Flow[Survey]:
    """
    Read the numbers, which show their inbound links: as a list or, if all are named by id, in the cheapest way.

    They are read again during ten seconds while one that is named is not there, because it may be new.
    """
    named = [(route.number, route.is_id) for route in routes]
    named += [(name, None) for name in (scope.pool if scope else None) or ()]

    def look() -> Flow[Survey]:
        numbers = yield from _numbers(routes, scope)
        return Survey(directory=directory_of(numbers), links=inbound_links(numbers))

    def shows_all(survey: Survey) -> bool:
        return all(survey.directory.knows(name, is_id=is_id) for name, is_id in named)

    return (yield from patience.until(shows_all, look))


def apply_plan(
    plan: Plan,
    on_result: Callable[[ChangeResult], None] = lambda _: None,
    journal: Journal | None = None,
) -> Flow[Report]:
    """
    Make the changes of a plan; see :func:`airflow_provider_phonelink.promises.applying.apply_plan`.

    Each change looks again before it writes. A route takes a number from whichever agent has it by then, unless the
    plan is bound; a removal takes it only from the agent in the plan.
    """
    journal = journal or Journal()
    return applying.apply_plan(
        plan,
        partial(_carry_out, plan, journal),
        on_result,
        undo=partial(_carry_out, replace(plan, bound=True), journal),
        journal=journal,
        catch_up=partial(_catch_up, plan, journal),
    )


def inbound_links(numbers: Iterable[PhoneNumber]) -> list[Link]:
    """Return the inbound links, which the numbers show."""
    return [
        Link(number.id, number.incoming_calls_agent_id, INBOUND)
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
            "counted as a link and is left alone. If it means a link, add the vendor's word to the extra "
            "`outbound_uses`."
            for agent_id in sorted(answer.maybe_outbound)
        ]
    return links, warnings


def _numbers(routes: Sequence[Route], scope: Scope | None) -> Flow[list[PhoneNumber]]:
    names = [route.number for route in routes] + list((scope.pool if scope else None) or ())
    # Which number an outbound route replaces may be any.
    if any(route.mode == RULES.outbound for route in routes):
        return (yield from reads.all_numbers())
    if names and all(map(is_uuid, names)) and (scope is None or scope.pool is not None):
        reading = yield from reads.read_numbers(names)
        for error in reading.errors.values():
            raise error
        return [number for number in reading.numbers.values() if number]
    return (yield from reads.all_numbers())


def _carry_out(plan: Plan, journal: Journal, change: Change) -> Flow[Changed[PhoneNumber]]:
    return _unlink(change, journal) if change.action == "unlink" else _link_or_replace(plan, change, journal)


def _link_or_replace(plan: Plan, change: Change, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    """Link a number; if the vendor refuses, in place of the same phone number under credentials that lose it."""
    try:
        return (yield from _link(plan, change, journal))
    except VendorError as error:
        old = _same_phone_number(plan, change)
        if old is None or error.retry_helps or error.method == "GET":
            raise
        return (yield from _link_in_place_of(plan, old, change, journal, error))


def _link(plan: Plan, change: Change, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    earlier = journal.earlier(inbound_key(change.link.number_id))
    only_from = change.previous_agent_id if plan.bound else ANYBODY
    outcome = yield from link_number(*change.link, only_from=only_from, takes_over=True, journal=journal)
    previous = outcome.previous_agent_id
    expected = previous == change.previous_agent_id or earlier is not None
    if outcome.changed and change.link.mode == INBOUND and not expected:
        planned = agent_label(change.previous_agent_id)
        surprise = (
            f"Number {outcome.subject.label} was with {agent_label(previous)} by then, not with {planned}."
        )
        outcome = replace(outcome, warnings=(*outcome.warnings, surprise))
    return outcome


def _same_phone_number(plan: Plan, change: Change) -> Link | None:
    """Return the inbound link of the same phone number under other credentials, if the plan removes it."""
    phone_number = plan.phone_numbers.get(change.link.number_id)
    return next(
        (
            other.link
            for other in plan.changes
            if change.link.mode == other.link.mode == INBOUND
            and other.action == "unlink"
            and other.link.number_id != change.link.number_id
            and plan.phone_numbers.get(other.link.number_id) == phone_number
        ),
        None,
    )


def _link_in_place_of(
    plan: Plan, old: Link, change: Change, journal: Journal, refusal: VendorError
) -> Flow[Changed[PhoneNumber]]:
    """Remove the old link first, make the new one, and put the old one back if that fails."""
    key = inbound_key(old.number_id)
    about = {"number_id": old.number_id, "mode": INBOUND, "agent_id": None, "lent": True}
    journal.begin(key, journal.entry(key, old.agent_id, **about))
    try:
        removed = yield from unlink_number(old.number_id, INBOUND, old.agent_id, journal=journal)
        if not removed.changed:
            raise refusal
        # It is not done yet: should this try die now, the next one has to know that the number may have to go back.
        if entry := journal.of(key):
            entry.state = State.INTENDED
        outcome = yield from _link(plan, change, journal)
    except PhonelinkError as error:
        if error is not refusal:
            yield from _link_again(plan, old, journal, error)
        raise
    journal.settle(key, None)
    return outcome


def _link_again(plan: Plan, old: Link, journal: Journal, error: PhonelinkError) -> Flow[None]:
    """Put back a link that was removed for another one, which was not made."""
    key = inbound_key(old.number_id)
    returned = yield from link_back(old.number_id, old.agent_id)
    if returned.is_back:
        journal.undo(key)
        return
    if not returned.error:
        journal.settle(key, returned.holder)
    name = number_label(old.number_id, plan.phone_numbers.get(old.number_id))
    truth = (
        f"Linking it back failed, too: {returned.error} Perhaps nobody has it now."
        if returned.error
        else f"It was not linked back: by now, {agent_label(returned.holder)} has number {name}."
        if returned.holder
        else f"By now, there is no number {name}."
    )
    raise NotTakenEffectError(
        f"Number {name} was unlinked from {agent_label(old.agent_id)}, because the same phone number was to be linked "
        f"under other credentials, but that failed: {error} {truth}"
    ) from error


def _unlink(change: Change, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    number_id, agent_id, mode = change.link
    outcome = yield from unlink_number(number_id, mode, agent_id, journal=journal)
    if not outcome.changed and mode == INBOUND and outcome.previous_agent_id not in (None, agent_id):
        raise ChangedMeanwhileError(
            f"Number {outcome.subject.label} was not unlinked: {agent_label(outcome.previous_agent_id)} has it now, "
            f"not {agent_label(agent_id)}. It was left alone. Run the task again to make a new plan."
        )
    return outcome


def _catch_up(
    plan: Plan, journal: Journal, key: str, entry: Entry, links: Collection[Link]
) -> Flow[list[str]]:
    """Note how a link of an earlier try ended; put back one that was removed for another that was not made."""
    if entry.mode != INBOUND:
        link = Link(entry.number_id, str(entry.agent_id), RULES.outbound)
        if (link in links or (yield from _calls_with(link))) is entry.removes:
            journal.drop(key)
        else:
            journal.settle(key, entry.agent_id)
        return []
    holder = yield from _holder(entry.number_id, plan, links)
    if holder is None and entry.lent and entry.holder and not _is_replaced(entry, plan, links):
        returned = yield from link_back(entry.number_id, entry.holder)
        if returned.error:
            raise returned.error
        if returned.is_back:
            journal.drop(key)
            return [entry.holder]
        holder = returned.holder
    journal.settle(key, holder)
    return []


def _holder(number_id: str, plan: Plan, links: Collection[Link]) -> Flow[str | None]:
    """Return a number's inbound agent, as the plan's reading shows it or, if that left the number out, as it is."""
    if number_id in plan.phone_numbers:
        return next(
            (link.agent_id for link in links if link.number_id == number_id and link.mode == INBOUND), None
        )
    try:
        number: PhoneNumber = yield endpoints.get_number(number_id)
    except NotFoundError:
        return None
    return number.incoming_calls_agent_id


def _is_replaced(entry: Entry, plan: Plan, links: Collection[Link]) -> bool:
    """Return whether the same phone number is linked under other credentials."""
    return any(
        link.mode == INBOUND
        and link.number_id != entry.number_id
        and plan.phone_numbers.get(link.number_id) == entry.phone_number
        for link in links
    )


def _calls_with(link: Link) -> Flow[bool]:
    try:
        affected: AffectedAgents = yield endpoints.affected_agents(link.number_id)
    except NotFoundError:
        return False
    return link.agent_id in affected.outbound


ROUTING = Routing(rules=RULES, survey=survey, apply=apply_plan, outbound_links=read_outbound_links)
