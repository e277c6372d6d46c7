"""What came of a plan: a result for each change, and what they amount to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, TakenError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import MOST_LISTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_phonelink.api.errors import PhonelinkError
    from airflow_provider_phonelink.decisions.planning import Change, Plan

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
    #: Agents for which this run did what an earlier try had left undone, by the key of the journal's entry.
    caught_up: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Why some of it could not be done this time, either.
    left_undone: tuple[PhonelinkError, ...] = ()
    #: Whether this was a run that applies its plan.
    applying: bool = False

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
                f"what an earlier try left undone for {', '.join(map(agent_label, agents))} is done"
                if (agents := dict.fromkeys(agent for found in self.caught_up.values() for agent in found))
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
            "applied": self.applying and (self.plan.in_sync or counts["done"] > 0),
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
