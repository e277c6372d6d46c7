"""
Routing: how the links of a vendor are read, planned, applied and exported.

Each vendor has a :class:`Routing` with what differs between vendors; everything else is written once, here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.decisions.planning import make_plan, numbers_in_use, numbers_to_ask
from airflow_provider_phonelink.decisions.routes import wishes_of
from airflow_provider_phonelink.decisions.scope import demand_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.links import Link, LinkRules
    from airflow_provider_phonelink.decisions.planning import Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.journal import Journal
    from airflow_provider_phonelink.promises.reports import ChangeResult, Report

    #: Links, and warnings about uses that may be links but are not counted as such.
    FoundLinks = tuple[list[Link], list[str]]


class Apply(Protocol):
    """Makes the changes of a plan."""

    def __call__(
        self,
        plan: Plan,
        on_result: Callable[[ChangeResult], None] = ...,
        journal: Journal | None = None,
        /,
    ) -> Flow[Report]:
        """
        Make the changes.

        :param on_result: Called with each result as soon as there is one, possibly from several threads.
        :param journal: What earlier tries of the task did, and what this one does; None if there is none.
        """


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A vendor's numbers, and the links that are known without a request for each number."""

    directory: Directory
    links: Sequence[Link]
    #: Returns the mode of a route, if the rules alone cannot tell.
    mode_of: Callable[[Route], str] | None = None
    #: The agents' primary numbers, where agents have one and the list of them shows it.
    primaries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Routing:
    """
    What a vendor provides so that its links can be planned, applied and exported.

    ``apply`` looks again before each change, because others work on the same numbers.
    """

    rules: LinkRules
    #: Reads the numbers that these routes and this scope can name; without routes and scope, all numbers.
    survey: Callable[[Sequence[Route], Scope | None], Flow[Survey]]
    apply: Apply
    #: Reads the outbound links of given numbers; None if the vendor's list of numbers shows all links.
    outbound_links: Callable[[Collection[str], Directory], Flow[FoundLinks]] | None = None

    def plan(self, routes: Sequence[Route], *, scope: Scope | None = None, prune: bool = False) -> Flow[Plan]:
        """
        Read the present links, and plan the changes that turn them into the routes. Writes nothing.

        :param scope: Which links may be pruned.
        :param prune: Whether links in scope that no route mentions are to be removed.
        :raises RoutesError: If the routes cannot all come true, or name numbers or agents that do not exist.
        """
        demand_scope(scope, prune)
        survey = yield from self.survey(routes, scope)
        directory = survey.directory
        wishes = wishes_of(routes, directory, self.rules, survey.mode_of)
        known = scope.within(directory) if scope else None
        asked = numbers_to_ask(wishes, known if prune else None, directory, self.rules)
        outbound, warnings = yield from self._outbound_links(asked, directory)
        if rest := numbers_in_use(wishes, outbound, asked, directory, self.rules):
            more, _ = yield from self._outbound_links(rest, directory)
            outbound = [*outbound, *more]
        links = [*survey.links, *outbound]
        return make_plan(
            wishes,
            links,
            self.rules,
            scope=known,
            prune=prune,
            phone_numbers={number.id: number.phone_number for number in directory.numbers.values()},
            warnings=warnings,
            extras={link: route.extra for link, route in wishes.items()},
            primaries=survey.primaries,
        )

    def export(self, scope: Scope | None = None) -> Flow[tuple[list[dict[str, Any]], list[str]]]:
        """
        Read the present links, and return a route for each, and warnings. Writes nothing.

        The result is a starting point for declaring routes. The routes of primary numbers come first: routes are made
        links in their order, and the first number that an agent gets becomes its primary one.

        :param scope: Which links; None for all.
        """
        # All numbers, whatever the scope: otherwise duplicate phone numbers would go unnoticed.
        survey = yield from self.survey((), None)
        directory = survey.directory
        known = scope.within(directory) if scope else None
        asked: list[str] = []
        if known is None or self.rules.outbound in known.modes:
            wanted = directory.numbers if known is None or known.numbers is None else known.numbers
            asked = [number_id for number_id in directory.numbers if number_id in wanted]
        outbound, warnings = yield from self._outbound_links(asked, directory)
        links = [link for link in (*survey.links, *outbound) if known is None or known.covers(link)]
        links.sort(key=lambda link: survey.primaries.get(link.agent_id) != link.number_id)
        return [_as_route(link, directory) for link in links], warnings

    def _outbound_links(self, number_ids: Collection[str], directory: Directory) -> Flow[FoundLinks]:
        if self.outbound_links is None or not number_ids:
            return [], []
        return (yield from self.outbound_links(number_ids, directory))


def routing_of(vendor: vendors.Vendor) -> Routing:
    """Return a vendor's routing."""
    routing: Routing = vendors.load(vendor.routing)
    return routing


def _as_route(link: Link, directory: Directory) -> dict[str, Any]:
    return {"number": directory.plain_name(link.number_id), "agent_id": link.agent_id, "mode": link.mode}
