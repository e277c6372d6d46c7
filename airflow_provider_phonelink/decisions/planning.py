"""
The plan: the ordered changes that turn the links as they are into the routes as wished.

Every change in it is necessary, so there is no shorter plan: a number has one inbound agent, so a wrong one
costs exactly one change, and at some vendors an agent has one outbound number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_provider_phonelink.api.errors import TooManyChangesError
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.decisions.links import INBOUND, Link

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.limits import MaxChanges
    from airflow_provider_phonelink.decisions.links import LinkRules
    from airflow_provider_phonelink.decisions.scope import KnownScope

_SIGNS = {"link": "+", "unlink": "-", "move": "~"}
ACTIONS = tuple(_SIGNS)


class Change(NamedTuple):
    """One change: a link is made, is removed, or replaces another one."""

    action: Literal["link", "unlink", "move"]
    #: The link that is made or removed.
    link: Link
    #: For a move, the link that it replaces: the number's inbound link, or the agent's outbound link.
    ends: Link | None = None

    @property
    def loser(self) -> Link | None:
        """The link that no longer exists afterwards."""
        return self.link if self.action == "unlink" else self.ends

    @property
    def previous_agent_id(self) -> str | None:
        """The agent that answers the number before the change."""
        return self.loser.agent_id if self.loser and self.link.mode == INBOUND else None

    @property
    def previous_number_id(self) -> str | None:
        """For a move of an agent's outbound link, the number that the agent calls out with before the change."""
        return self.ends.number_id if self.ends and self.link.mode != INBOUND else None


@dataclass(frozen=True)
class Plan:
    """
    Ordered changes.

    Changes of one step may be made in parallel, and each step is finished before the next one begins: links first;
    then moves, each after the moves that give a number to the agent that it takes one from; removals last.
    """

    steps: tuple[tuple[Change, ...], ...]
    #: How many routes are true already.
    unchanged: int
    #: How many links are in scope before the run: those in the given scope, and those of numbers with a route.
    links_in_scope: int
    #: Phone numbers by id.
    phone_numbers: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    #: What somebody should look into.
    warnings: tuple[str, ...] = ()
    #: The values of the extra columns of routes, by the link that a route asks for.
    extras: Mapping[Link, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    #: What the vendor allows; None in a plan that was not made by :func:`make_plan`.
    rules: LinkRules | None = field(default=None, repr=False)
    #: The links before the run, as far as they were read.
    found: frozenset[Link] = field(default=frozenset(), repr=False)
    #: Primary numbers before the run, by agent, where agents have one (CallingBox).
    primaries: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The links that the routes ask for, and whether those in scope that no route mentions are removed.
    wishes: frozenset[Link] = field(default=frozenset(), repr=False)
    prunes: bool = False
    #: Whether a number may be taken only from the agent in the plan, because somebody approved just that.
    bound: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in order."""
        return tuple(change for step in self.steps for change in step)

    @property
    def in_sync(self) -> bool:
        """Whether there is nothing to change."""
        return not self.steps

    @property
    def summary(self) -> str:
        """The plan in one line."""
        counts = Counter(change.action for change in self.changes)
        counted = [f"{counts[action]} to {action}" for action in ("link", "move", "unlink")]
        return ", ".join([*counted, f"{self.unchanged} unchanged"])

    def diff(self) -> list[str]:
        """Return the plan as a diff, one line for each change."""
        return [self.line(change) for change in self.changes]

    def line(self, change: Change) -> str:
        """Return a change as a line of the diff."""
        return f"{_SIGNS[change.action]} {change.action:<6} {self._in_words(change)}"

    def as_json(self, change: Change) -> dict[str, Any]:
        """Return a change as plain JSON."""
        return {
            "action": change.action,
            "number_id": change.link.number_id,
            "phone_number": self.phone_numbers.get(change.link.number_id),
            "agent_id": change.link.agent_id,
            "mode": change.link.mode,
            "previous_agent_id": change.previous_agent_id,
            "previous_number_id": change.previous_number_id,
            "extra": dict(self.extras.get(change.link, {})),
        }

    def refuse_more_than(self, limit: MaxChanges | None) -> None:
        """
        Refuse a plan that is too large.

        A count limits all changes. A percentage limits how many of the links before the run may be lost, to another
        agent or number or to nobody: a first roll-out loses none.

        :raises TooManyChangesError: If it has more changes than ``limit`` allows.
        """
        if limit is None:
            return
        lost = sum(change.loser is not None for change in self.changes)
        if limit.is_exceeded(lost if limit.is_percentage else len(self.changes), self.links_in_scope):
            told = f", {lost} of which take a link away" if limit.is_percentage else ""
            raise TooManyChangesError(
                f"The plan has {len(self.changes)} changes ({self.summary}){told}, which is more than "
                f"max_changes={limit} of {self.links_in_scope} links in scope. Nothing was changed."
            )

    def _in_words(self, change: Change) -> str:
        link, ends = change.link, change.ends
        number, agent = self._number(link.number_id), agent_label(link.agent_id)
        if ends is None:
            return f"{number} {link.mode} {'to' if change.action == 'link' else 'from'} {agent}"
        if link.mode == INBOUND:
            return f"{number} {link.mode} from {agent_label(ends.agent_id)} to {agent}"
        return f"{number} {link.mode} to {agent}, instead of {self._number(ends.number_id)}"

    def _number(self, number_id: str) -> str:
        return number_label(number_id, self.phone_numbers.get(number_id))


def make_plan(
    wishes: Collection[Link],
    links: Collection[Link],
    rules: LinkRules,
    *,
    scope: KnownScope | None = None,
    prune: bool = False,
    phone_numbers: Mapping[str, str | None] | None = None,
    warnings: Iterable[str] = (),
    extras: Mapping[Link, Mapping[str, Any]] | None = None,
    primaries: Mapping[str, str] | None = None,
) -> Plan:
    """
    Plan the changes.

    :param wishes: The links that the routes ask for, free of contradictions.
    :param links: The present links, as far as they matter. No other link is ever removed.
    :param prune: Whether links in scope that no route mentions are removed.
    """
    found, wished = set(links), set(wishes)
    made = _changes_that_make(wished, wishes, found, links, rules)
    kept = found - {change.ends for change in made}
    removed = [
        Change("unlink", link)
        for link in links
        if prune and scope is not None and link in kept and link not in wished and scope.covers(link)
    ]
    return Plan(
        steps=(*_in_steps(made, found, wished), *filter(None, (tuple(removed),))),
        unchanged=len(wished & found),
        links_in_scope=_count_in_scope(found, wished, {change.ends for change in made}, scope),
        phone_numbers=phone_numbers or {},
        warnings=tuple(warnings),
        extras=extras or {},
        rules=rules,
        found=frozenset(found),
        primaries=primaries or {},
        wishes=frozenset(wished),
        prunes=prune,
    )


def numbers_to_ask(
    wishes: Iterable[Link], pruned: KnownScope | None, directory: Directory, rules: LinkRules
) -> list[str]:
    """
    Return the numbers whose outbound links a plan depends on, where each number has to be asked for them.

    :param pruned: The scope in which links are removed; None if none are.
    """
    outbound = [link for link in wishes if link.mode == rules.outbound]
    needed = {link.number_id for link in outbound}
    if pruned is not None and rules.outbound in pruned.modes:
        routed = {link.agent_id for link in outbound}
        # An agent that can have one outbound number, and is given one, keeps no other, whichever it has now.
        replaced = rules.one_outbound_number and pruned.agents is not None and pruned.agents <= routed
        if not replaced:
            needed |= directory.numbers.keys() if pruned.numbers is None else pruned.numbers
    return [number_id for number_id in directory.numbers if number_id in needed]


def numbers_in_use(
    wishes: Iterable[Link],
    links: Iterable[Link],
    asked: Collection[str],
    directory: Directory,
    rules: LinkRules,
) -> list[str]:
    """
    Return the numbers of which one may be replaced by an outbound route, and which were not asked for yet.

    An agent that can have one outbound number, and is given another one, loses the one that it has: a plan says which.

    :param links: The outbound links of the numbers that were asked for.
    """
    if not rules.one_outbound_number:
        return []
    found = set(links)
    known = {link.agent_id for link in found}
    replacing = any(
        link.mode == rules.outbound and link not in found and link.agent_id not in known for link in wishes
    )
    return [number_id for number_id in directory.numbers if number_id not in asked] if replacing else []


def _changes_that_make(
    wished: Collection[Link],
    in_order: Iterable[Link],
    found: Collection[Link],
    links: Iterable[Link],
    rules: LinkRules,
) -> list[Change]:
    """Return the changes that make the missing links, new links before moves."""
    answering = {link.number_id: link for link in links if link.mode == INBOUND}
    calling = (
        {link.agent_id: link for link in links if link.mode != INBOUND and link not in wished}
        if rules.one_outbound_number
        else {}
    )
    changes = []
    for link in dict.fromkeys(in_order):
        if link not in found:
            ends = answering.get(link.number_id) if link.mode == INBOUND else calling.get(link.agent_id)
            changes.append(Change("move" if ends else "link", link, ends))
    return sorted(changes, key=lambda change: change.action)  # stable: "link" comes before "move"


def _in_steps(
    changes: list[Change], found: Collection[Link], wished: Collection[Link]
) -> list[tuple[Change, ...]]:
    """
    Order changes so that, where possible, no agent with an inbound route loses its last number before it gets another.

    The order need not protect numbers: a move is a single write, or two in immediate succession.
    """
    due = {link.agent_id for link in wished if link.mode == INBOUND}
    has = Counter(link.agent_id for link in found if link.mode == INBOUND)
    steps: list[tuple[Change, ...]] = []
    waiting = changes
    while waiting:
        step, waiting = _possible_now(waiting, due, has)
        if not step:  # agents exchange numbers in a circle, so one of them has to go first
            step, waiting = waiting, []
        has.update(change.link.agent_id for change in step if change.link.mode == INBOUND)
        steps.append(tuple(step))
    return steps


def _possible_now(
    waiting: list[Change], due: Collection[str], has: Counter[str]
) -> tuple[list[Change], list[Change]]:
    now: list[Change] = []
    later: list[Change] = []
    for change in waiting:
        loser = change.previous_agent_id
        if loser is not None and loser in due and has[loser] < 2:
            later.append(change)
            continue
        now.append(change)
        if loser is not None:
            has[loser] -= 1
    return now, later


def _count_in_scope(
    found: Iterable[Link], wished: Iterable[Link], ended: Collection[Link | None], scope: KnownScope | None
) -> int:
    """Return how many of today's links are in scope, belong to a number with a route, or end for one."""
    routed: defaultdict[str, set[str]] = defaultdict(set)
    for link in wished:
        routed[link.mode].add(link.number_id)
    return sum(
        link.number_id in routed[link.mode] or link in ended or (scope is not None and scope.covers(link))
        for link in found
    )
