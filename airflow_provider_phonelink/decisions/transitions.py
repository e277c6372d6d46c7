"""Which changes of a registration are worth an alert: lost, failed or recovered, each reported once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_phonelink.decisions.registration import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_phonelink.decisions.registration import Judgement


class Condition(str, Enum):
    """The condition of a number at the last look, as far as alerts are concerned."""

    UP = "up"
    DOWN = "down"
    FAILED = "failed"


class Transition(str, Enum):
    """A change that is reported."""

    #: It was active and no longer is: it is registering again, has expired, was switched off or deleted.
    LOST = "lost"
    #: The vendor reports that it failed.
    FAILED = "failed"
    #: It is active and was not.
    RECOVERED = "recovered"


TRANSITIONS = tuple(transition.value for transition in Transition)


@dataclass(frozen=True)
class AlertRules:
    """When a change is reported."""

    #: How long a number must not have been active before that is reported.
    hold_for: timedelta = timedelta(0)
    #: Whether a number that is not active at its first look is reported, as if it had been active before.
    tell_baseline: bool = False
    #: After how long a number that is still not active is reported again; None for never.
    remind_every: timedelta | None = None
    #: The transitions that are reported; of another one nobody is reminded.
    transitions: Collection[str] = TRANSITIONS


@dataclass(frozen=True)
class Watched:
    """What is known of a number that is watched."""

    #: The condition that was last reported; or that of the first look, which is not reported.
    reported: Condition
    #: The first of the looks in a row at which it was not active; None while it is active.
    since: datetime | None = None
    #: When it was reported, or last reported again; None if what it is was not to be reported.
    reported_at: datetime | None = None

    @property
    def held_back(self) -> bool:
        """Whether it is not active, and that is not reported yet."""
        return self.reported is Condition.UP and self.since is not None

    def __str__(self) -> str:
        """Return it as text, as short as can be, for a store."""
        moments = [moment.isoformat() if moment else "-" for moment in (self.since, self.reported_at)]
        return " ".join([self.reported.value, *moments]).removesuffix(" -").removesuffix(" -")

    @classmethod
    def read(cls, text: object) -> Watched | None:
        """Return what was stored as text; None if it cannot be read."""
        try:
            condition, *moments = str(text).split(" ")
            found = [None if moment == "-" else datetime.fromisoformat(moment) for moment in moments]
            if any(moment and not moment.tzinfo for moment in found):
                return None
            return cls(Condition(condition), *found)
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True)
class Report:
    """Something to report of a number."""

    transition: Transition
    #: For a number that recovered, the look that showed it active; otherwise the first that did not.
    since: datetime
    #: Whether the same was reported before.
    reminder: bool = False


def look_again(
    before: Watched | None, judgement: Judgement, at: datetime, rules: AlertRules
) -> tuple[Watched, Report | None]:
    """
    Return what is known of a number after a look, and what is to be reported, if anything.

    A number that was reported as failed stays so until it is active again: attempts in between are not reported.

    :param before: What was known before; None at the first look.
    :param at: When it was looked.
    """
    if before is None:
        baseline = Condition.UP if rules.tell_baseline else _condition(Condition.UP, judgement.verdict)
        before = Watched(baseline, None if judgement.verdict is Verdict.ACTIVE else at)
    now = _condition(before.reported, judgement.verdict)
    if now is Condition.UP:
        recovered = Report(Transition.RECOVERED, at) if before.reported is not now else None
        return Watched(now), recovered
    since = before.since or at
    known = replace(before, since=since)
    transition = Transition.FAILED if now is Condition.FAILED else Transition.LOST
    if now is not before.reported:
        if known.held_back and at - since < rules.hold_for:
            return known, None
        is_told = transition.value in rules.transitions
        return Watched(now, since, at if is_told else before.reported_at), Report(transition, since)
    if rules.remind_every and before.reported_at and at - before.reported_at >= rules.remind_every:
        # A loss that was reported lasts, also if nobody wishes to hear that it has become a failure.
        told = transition if transition.value in rules.transitions else Transition.LOST
        return replace(known, reported_at=at), Report(told, since, reminder=True)
    return known, None


def _condition(reported: Condition, verdict: Verdict) -> Condition:
    if verdict is Verdict.ACTIVE:
        return Condition.UP
    if verdict is Verdict.FAILED or reported is Condition.FAILED:
        return Condition.FAILED
    return Condition.DOWN
