"""Apply a plan step by step: the changes of a step in parallel, each with a result of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.errors import AuthenticationError, PhonelinkError, telling
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.planning import Change
from airflow_provider_phonelink.promises.journal import Journal, State, key_of
from airflow_provider_phonelink.promises.reports import ChangeResult, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.links import Link
    from airflow_provider_phonelink.decisions.planning import Plan
    from airflow_provider_phonelink.promises.journal import Entry
    from airflow_provider_phonelink.promises.outcomes import Changed


class CatchUp(Protocol):
    """Finishes what an earlier try of the task began with a link that the plan does not change any more."""

    def __call__(self, key: str, entry: Entry, links: Collection[Link], /) -> Flow[list[str]]:
        """
        Finish it, or note in the journal how it ended.

        :param links: The links as they are now, as far as they were read.
        :return: The agents for which something was done.
        """


def apply_plan(
    plan: Plan,
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    on_result: Callable[[ChangeResult], None] = lambda _: None,
    *,
    undo: Callable[[Change], Flow[Changed[Any]]] | None = None,
    journal: Journal | None = None,
    catch_up: CatchUp | None = None,
    side_by_side: bool = True,
) -> Flow[Report]:
    """
    Make the changes of a plan. A change that fails does not stop the others.

    A change that takes an agent's last number, while the change that was to give it another one failed, is not made.

    :param carry_out: Makes one change, or writes nothing if it is true by then.
    :param undo: Makes a change that undoes one of the plan, and takes a number only from the agent in it; None if
        ``carry_out`` does so.
    :param on_result: Called with each result as soon as there is one, possibly from several threads.
    :param journal: Gets all changes before the first one is made, and what came of them at the end.
    :param catch_up: Called for each link that an earlier try began with, and that is not in the plan; None for a vendor
        at which every change is one write.
    :param side_by_side: Whether the changes of a step may be made in parallel.
    """
    journal = journal or Journal()
    planned = entries_of(plan, journal)
    journal.intend(planned)
    undo = _noting(plan, undo or carry_out, journal)
    carry_out = _noting(plan, carry_out, journal)
    so_far = _SoFar.before(plan)
    results: list[ChangeResult] = []
    with journal.several():
        for step in plan.steps:
            in_parallel = side_by_side and not _is_circle(step)
            make = _side_by_side if in_parallel else _one_by_one
            made = yield from make(step, carry_out, so_far, on_result)
            results += so_far.note((yield from _given_back(made, so_far, undo, on_result)))
        journal.undo_what_was_not_begun()
        caught_up, left_undone = yield from _caught_up(
            set(planned), so_far.links, catch_up or _noted(journal), journal
        )
    report = Report(plan, tuple(results), caught_up, left_undone, applying=True)
    if not report.complete:
        journal.keep()
    return report


def _noting(
    plan: Plan, carry_out: Callable[[Change], Flow[Changed[Any]]], journal: Journal
) -> Callable[[Change], Flow[Changed[Any]]]:
    """Return what makes a change and notes in the journal that it is made, if that is not done on the way."""

    def carry_out_and_note(change: Change) -> Flow[Changed[Any]]:
        outcome = yield from carry_out(change)
        if plan.rules and outcome.changed:
            removed = change.action == "unlink" and change.link.mode == INBOUND
            key = key_of(change.link, one_outbound_number=plan.rules.one_outbound_number)
            journal.done(key, None if removed else change.link.agent_id)
        return outcome

    return carry_out_and_note


def _noted(journal: Journal) -> CatchUp:
    """Return what only notes how a link ended, for a vendor at which every change is one write."""

    def catch_up(key: str, entry: Entry, links: Collection[Link]) -> Flow[list[str]]:
        yield from ()
        found = [link for link in links if (link.number_id, link.mode) == (entry.number_id, entry.mode)]
        if entry.mode == INBOUND:
            journal.settle(key, found[0].agent_id if found else None)
        elif any(link.agent_id == entry.agent_id for link in found) is entry.removes:
            journal.drop(key)
        else:
            journal.settle(key, entry.agent_id)
        return []

    return catch_up


def entries_of(plan: Plan, journal: Journal) -> dict[str, Entry]:
    """Return what the journal has to know of a plan before it is applied."""
    entries: dict[str, Entry] = {}
    rules = plan.rules
    if rules is None:
        return entries
    for change in plan.changes:
        number_id, agent_id, mode = change.link
        key = key_of(change.link, one_outbound_number=rules.one_outbound_number)
        about = {"number_id": number_id, "mode": mode, "phone_number": plan.phone_numbers.get(number_id)}
        removes = change.action == "unlink"
        loser = change.loser.agent_id if change.loser else None
        if mode == INBOUND:
            entry = journal.entry(key, loser, **about, agent_id=None if removes else agent_id)
            # Taken from its agent by this plan, or by an earlier try, and with nobody since.
            entry.lent = (rules.detaches_to_move and change.action == "move") or (
                entry.lent and loser is None
            )
        else:
            entry = journal.entry(key, **about, agent_id=agent_id, removes=removes)
            entry.previous_number_id = entry.previous_number_id or change.previous_number_id
        for agent in (agent_id, loser):
            if agent is not None and agent in plan.primaries:
                entry.primaries.setdefault(agent, plan.primaries[agent])
        entries[key] = entry
    return entries


@dataclass
class _SoFar:
    """What the changes so far mean for later ones."""

    #: The links as they are now.
    links: set[Link]
    #: How many inbound numbers each agent has, those excepted that a change of the present step may take.
    has: Counter[str]
    #: The error that every other change would meet, too.
    refusal: AuthenticationError | None = None
    #: The agents, with the mode, that should have got a number but did not.
    without: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def before(cls, plan: Plan) -> _SoFar:
        return cls(set(plan.found), Counter(link.agent_id for link in plan.found if link.mode == INBOUND))

    def note(self, results: list[ChangeResult]) -> list[ChangeResult]:
        for result in results:
            change = result.change
            if result.state == "done":
                self.links -= {change.loser} if change.loser else set()
                self.links |= {change.link} if change.action != "unlink" else set()
            elif change.action != "unlink":
                self.without.add((change.link.agent_id, change.link.mode))
        self.has = Counter(link.agent_id for link in self.links if link.mode == INBOUND)
        return results

    def reason_against(self, change: Change) -> str | None:
        """Return why a change must not be tried; None if it may."""
        loser = change.loser
        if loser is None or (loser.agent_id, loser.mode) not in self.without:
            return None
        if change.action == "unlink" or (loser.mode == INBOUND and self.has[loser.agent_id] < 2):
            agent = agent_label(loser.agent_id)
            return f"{agent} did not get the number that a route gives it, so this one is not taken from it"
        if loser.mode == INBOUND:
            self.has[loser.agent_id] -= 1
        return None

    def left_without(self, result: ChangeResult, failed: set[tuple[str, str]]) -> bool:
        """Return whether a move took the last number of an agent that did not get the one that a route gives it."""
        loser = result.change.loser
        return (
            result.state == "done"
            and result.change.action == "move"
            and loser is not None
            and loser.mode == INBOUND
            and (loser.agent_id, loser.mode) in failed
        )


def _is_circle(step: Collection[Change]) -> bool:
    """Return whether agents exchange numbers in a step: one of them loses a number and gets one in it."""
    getting = {change.link.agent_id for change in step if change.link.mode == INBOUND}
    return any(change.loser and change.loser.agent_id in getting for change in step)


def _side_by_side(
    step: Collection[Change],
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    so_far: _SoFar,
    on_result: Callable[[ChangeResult], None],
) -> Flow[list[ChangeResult]]:
    reasons = [so_far.reason_against(change) for change in step]
    made: list[ChangeResult] = yield Parallel(
        [
            _applied(change, reason, carry_out, so_far, on_result)
            for change, reason in zip(step, reasons, strict=True)
        ]
    )
    return made


def _one_by_one(
    step: Collection[Change],
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    so_far: _SoFar,
    on_result: Callable[[ChangeResult], None],
) -> Flow[list[ChangeResult]]:
    """Make the changes in turn, so that one that fails keeps the next one from taking an agent's last number."""
    made: list[ChangeResult] = []
    for change in step:
        result = yield from _applied(change, so_far.reason_against(change), carry_out, so_far, on_result)
        if result.state != "done" and change.action != "unlink":
            so_far.without.add((change.link.agent_id, change.link.mode))
        made.append(result)
    return made


def _given_back(
    results: list[ChangeResult],
    so_far: _SoFar,
    undo: Callable[[Change], Flow[Changed[Any]]],
    on_result: Callable[[ChangeResult], None],
) -> Flow[list[ChangeResult]]:
    """Undo the moves of a step in which agents exchange numbers, if one of them lost its last one and got none."""
    failed = {
        (result.change.link.agent_id, result.change.link.mode)
        for result in results
        if result.state != "done" and result.change.action != "unlink"
    }
    taken = Counter(
        result.change.loser.agent_id
        for result in results
        if result.change.loser and so_far.left_without(result, failed)
    )
    checked = []
    for result in results:
        loser = result.change.loser
        if (
            loser
            and so_far.left_without(result, failed)
            and so_far.has[loser.agent_id] <= taken[loser.agent_id]
        ):
            taken[loser.agent_id] -= 1
            result = yield from _undone(result, loser, undo)
            on_result(result)
        checked.append(result)
    return checked


def _undone(
    result: ChangeResult, loser: Link, undo: Callable[[Change], Flow[Changed[Any]]]
) -> Flow[ChangeResult]:
    change = result.change
    reason = (
        f"{agent_label(loser.agent_id)} did not get the number that a route gives it, so it got this one back"
    )
    try:
        yield from undo(Change("move", loser, change.link))
    except PhonelinkError as error:
        failed = f"{agent_label(loser.agent_id)} is left without a number, because giving this one back failed: {error}"
        return ChangeResult(change, "failed", failed, error.with_traceback(None))
    return ChangeResult(change, "held back", reason)


def _caught_up(
    planned: Collection[str], links: Collection[Link], catch_up: CatchUp, journal: Journal
) -> Flow[tuple[dict[str, list[str]], tuple[PhonelinkError, ...]]]:
    caught_up: dict[str, list[str]] = {}
    left_undone: list[PhonelinkError] = []
    for key, entry in journal:
        if key in planned or entry.state is State.TOLD or journal.has_seen(key):
            continue
        try:
            name = number_label(entry.number_id, entry.phone_number)
            with telling(f"Seeing to number {name}, which an earlier try of this task began with,"):
                if agents := (yield from catch_up(key, entry, links)):
                    caught_up[key] = agents
        except PhonelinkError as error:
            left_undone.append(error.with_traceback(None))
    return caught_up, tuple(left_undone)


def _applied(
    change: Change,
    reason_against: str | None,
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    so_far: _SoFar,
    on_result: Callable[[ChangeResult], None],
) -> Flow[ChangeResult]:
    if so_far.refusal:
        reason_against = f"not tried after the vendor refused the API key: {so_far.refusal}"
    if reason_against:
        result = ChangeResult(change, "held back", reason_against)
    else:
        result = yield from _result(change, carry_out, so_far)
    on_result(result)
    return result


def _result(
    change: Change, carry_out: Callable[[Change], Flow[Changed[Any]]], so_far: _SoFar
) -> Flow[ChangeResult]:
    try:
        outcome = yield from carry_out(change)
    except PhonelinkError as error:
        if refusal := next((e for e in (error, error.__cause__) if isinstance(e, AuthenticationError)), None):
            so_far.refusal = refusal
        # Without its traceback: a stored error would keep alive everything that its frames refer to.
        return ChangeResult(change, "failed", str(error), error.with_traceback(None))
    return ChangeResult(change, "done", outcome.summary, warnings=outcome.warnings)
