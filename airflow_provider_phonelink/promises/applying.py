"""Apply a plan step by step: the changes of a step in parallel, each with a result of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    ChangedMeanwhileError,
    PhonelinkError,
    TakenError,
)
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import MOST_LISTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.promises.outcomes import Changed

#: Errors of an outdated plan. A new plan can succeed, because the next run reads the links again.
_MENDED_BY_A_NEW_PLAN = (TakenError, ChangedMeanwhileError)


@dataclass(frozen=True)
class ChangeResult:
    """The result of one change."""

    change: Change
    #: ``done``: it is true now; ``failed``: see the error; ``held back``: not tried, see the summary.
    state: Literal["done", "failed", "held back"]
    #: What is true now, or why the change was not made.
    summary: str
    error: PhonelinkError | None = None
    warnings: tuple[str, ...] = ()

    def log_to(self, log: Any) -> None:
        """Log the result."""
        if self.state == "done":
            log.info("%s", self.summary)
        else:
            log.error("%s: %s", self.state.capitalize(), self.summary)
        for warning in self.warnings:
            log.warning("%s", warning)


@dataclass(frozen=True)
class Report:
    """A plan and its results, change by change; without results if the plan was not applied."""

    plan: Plan
    results: tuple[ChangeResult, ...] = ()
    #: Agents for which this run did what an earlier try had left undone.
    caught_up: tuple[str, ...] = ()
    #: Why some of it could not be done this time, either.
    left_undone: tuple[PhonelinkError, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every change of the plan was made."""
        return all(result.state == "done" for result in self.results) and not self.left_undone

    @property
    def retry_helps(self) -> bool:
        """Whether another run may make the changes that this one could not make."""
        errors = [*(result.error for result in self.results if result.error), *self.left_undone]
        return any(error.retry_helps or isinstance(error, _MENDED_BY_A_NEW_PLAN) for error in errors)

    @property
    def summary(self) -> str:
        """The results in one line; followed by each change that was not made, if there are any."""
        if self.plan.in_sync and self.complete:
            rest = (
                f"what an earlier try left undone for {', '.join(map(agent_label, self.caught_up))} is done"
                if self.caught_up
                else "nothing was written"
            )
            return f"All {self.plan.unchanged} routes were true already; {rest}."
        if self.complete:
            return (
                f"All {len(self.results)} changes are made; {self.plan.unchanged} routes were true already."
            )
        counts = Counter(result.state for result in self.results)
        line = (
            f"{counts['done']} of {len(self.results)} changes are made, {counts['failed']} failed, "
            f"{counts['held back']} were held back, {self.plan.unchanged} routes were true already"
        )
        open_ones = [
            f"{self.plan.line(result.change)}: {result.summary}"
            for result in self.results
            if result.state != "done"
        ] + [str(error) for error in self.left_undone]
        rest = f" ... and {len(open_ones) - MOST_LISTED} more" if len(open_ones) > MOST_LISTED else ""
        return "".join([line, ".", *(f" [{one}]" for one in open_ones[:MOST_LISTED]), rest])

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        counts = Counter(result.state for result in self.results)
        return {
            "drift": not self.plan.in_sync,
            "applied": bool(self.results) or self.plan.in_sync,
            "changes": [*map(self._as_json, self.plan.changes, self._padded_results())],
            "unchanged": self.plan.unchanged,
            "links_in_scope": self.plan.links_in_scope,
            "done": counts["done"],
            "failed": counts["failed"],
            "held_back": counts["held back"],
            "warnings": list(self.plan.warnings),
        }

    def _padded_results(self) -> tuple[ChangeResult | None, ...]:
        return self.results or (None,) * len(self.plan.changes)

    def _as_json(self, change: Change, result: ChangeResult | None) -> dict[str, Any]:
        return {
            **self.plan.as_json(change),
            "state": result.state if result else "planned",
            "error": result.summary if result and result.state != "done" else None,
        }


def apply_plan(
    plan: Plan,
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    on_result: Callable[[ChangeResult], None] = lambda _: None,
    *,
    side_by_side: bool = True,
) -> Flow[Report]:
    """
    Make the changes of a plan. A change that fails does not stop the others.

    :param carry_out: Makes one change, or writes nothing if it is true by then.
    :param on_result: Called with each result as soon as there is one, possibly from several threads.
    :param side_by_side: Whether the changes of a step may be made in parallel.
    """
    so_far = _SoFar()
    results: list[ChangeResult] = []
    for step in plan.steps:
        flows = [_applied(change, carry_out, so_far, on_result) for change in step]
        results += (yield Parallel(flows)) if side_by_side else (yield from _in_turn(flows))
        so_far.note(results)
    return Report(plan, tuple(results))


@dataclass
class _SoFar:
    """What the changes so far mean for later ones."""

    #: The error that every other change would meet, too.
    refusal: AuthenticationError | None = None
    #: The agents, with the mode, that should have got a number but did not.
    without: set[tuple[str, str]] = field(default_factory=set)

    def note(self, results: list[ChangeResult]) -> None:
        self.without = {
            (result.change.link.agent_id, result.change.link.mode)
            for result in results
            if result.state != "done" and result.change.action != "unlink"
        }

    def reason_against(self, change: Change) -> str | None:
        """Return why a change must not be tried; None if it may."""
        if self.refusal:
            return f"not tried after the vendor refused the API key: {self.refusal}"
        if change.action == "unlink" and (change.link.agent_id, change.link.mode) in self.without:
            return (
                f"{agent_label(change.link.agent_id)} did not get the number that a route gives it, so it keeps this "
                "one"
            )
        return None


def _in_turn(flows: list[Flow[ChangeResult]]) -> Flow[list[ChangeResult]]:
    results = []
    for flow in flows:
        results.append((yield from flow))
    return results


def _applied(
    change: Change,
    carry_out: Callable[[Change], Flow[Changed[Any]]],
    so_far: _SoFar,
    on_result: Callable[[ChangeResult], None],
) -> Flow[ChangeResult]:
    result = yield from _result(change, carry_out, so_far)
    on_result(result)
    return result


def _result(
    change: Change, carry_out: Callable[[Change], Flow[Changed[Any]]], so_far: _SoFar
) -> Flow[ChangeResult]:
    if reason := so_far.reason_against(change):
        return ChangeResult(change, "held back", reason)
    try:
        outcome = yield from carry_out(change)
    except PhonelinkError as error:
        if refusal := next((e for e in (error, error.__cause__) if isinstance(e, AuthenticationError)), None):
            so_far.refusal = refusal
        # Without its traceback: a stored error would keep alive everything that its frames refer to.
        return ChangeResult(change, "failed", str(error), error.with_traceback(None))
    return ChangeResult(change, "done", outcome.summary, warnings=outcome.warnings)
