"""What is worth waking somebody for? Registrations that are lost, fail or recover, each told once."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_phonelink.decisions.registration import Verdict

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.registration import Judgement


class Condition(str, Enum):
    """What was last told of a number, or would have been."""

    UP = "up"
    DOWN = "down"
    FAILED = "failed"


class Transition(str, Enum):
    """A change that is told."""

    #: Was active and is not any more: it registers anew, expired, was switched off or deleted.
    LOST = "lost"
    #: The vendor says that it failed.
    FAILED = "failed"
    #: Is active, and was not.
    RECOVERED = "recovered"


TRANSITIONS = tuple(transition.value for transition in Transition)


def next_condition(before: Condition | None, judgement: Judgement) -> tuple[Condition, Transition | None]:
    """
    Return a number's condition after a look, and what is to be told of it.

    A number that failed stays failed until it is active again: the attempts in between are not told.

    :param before: None at the first look, which only sets the baseline.
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
