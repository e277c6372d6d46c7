"""Which changes of a registration are worth an alert: lost, failed or recovered, each reported once."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_phonelink.decisions.registration import Verdict

if TYPE_CHECKING:
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


def next_condition(before: Condition | None, judgement: Judgement) -> tuple[Condition, Transition | None]:
    """
    Return a number's condition after a look, and the transition to report, if any.

    A number that failed stays failed until it is active again: attempts in between are not reported.

    :param before: The condition before; None at the first look, which only sets the baseline.
    """
    now = _condition(before, judgement.verdict)
    if before is None or now is before:
        return now, None
    return now, {
        Condition.UP: Transition.RECOVERED,
        Condition.DOWN: Transition.LOST,
        Condition.FAILED: Transition.FAILED,
    }[now]


def _condition(before: Condition | None, verdict: Verdict) -> Condition:
    if verdict is Verdict.ACTIVE:
        return Condition.UP
    if verdict is Verdict.FAILED or before is Condition.FAILED:
        return Condition.FAILED
    return Condition.DOWN
