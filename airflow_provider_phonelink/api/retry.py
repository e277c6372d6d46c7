"""
Whether a request is tried again, and after how long.

One flow serves the sync and the async sender: it yields the tries and the pauses between them, and the
sender carries them out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from airflow_provider_phonelink.api.calls import Call, Flow, Parallel, Pause, Setting, Stepper
from airflow_provider_phonelink.api.errors import PhonelinkError, VendorError

if TYPE_CHECKING:
    from collections.abc import Generator

    from airflow_provider_phonelink.api.settings import Settings

T = TypeVar("T")
Steps: TypeAlias = "Generator[Call[Any] | Parallel[Any] | Pause, Any, T]"

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0

_log = logging.getLogger(__name__)
_backoff = wait_exponential(FIRST_WAIT, LONGEST_WAIT) + wait_random(0, FIRST_WAIT)


def with_retries(flow: Flow[T], settings: Settings, *, repeat: bool = True) -> Steps[T]:
    """
    Turn a flow into single tries and pauses; each call is repeated as far as the call allows.

    Settings that the flow asks for are answered here, so that a sender carries out nothing but requests and pauses.

    :param repeat: False for a single try of each call.
    """
    stepper = Stepper(flow)
    while not stepper.done:
        try:
            answer = yield from _answer(stepper.step, settings, repeat)
        except PhonelinkError as error:
            stepper.failed(error)
        else:
            stepper.answered(answer)
    return stepper.result


def _answer(
    step: Call[Any] | Parallel[Any] | Setting | Pause, settings: Settings, repeat: bool
) -> Steps[Any]:
    if isinstance(step, Setting):
        return getattr(settings, step.name)
    if isinstance(step, (Parallel, Pause)):
        return (yield step)
    return (yield from _tries(step, settings, repeat))


def _tries(call: Call[T], settings: Settings, repeat: bool) -> Steps[T]:
    failure: type[Exception] | None = None
    for attempt in _retrying(call, settings, repeat):
        with attempt:
            if attempt.retry_state.attempt_number > 1:
                yield Pause(attempt.retry_state.upcoming_sleep, after=failure)
                # A failed look counts as a failed try, so the look itself is not retried.
                look = call.look() if call.look else None
                done = (yield from with_retries(look, settings, repeat=False)) if look else None
                if done is not None:
                    return done.answer
            try:
                answer: T = yield call
            except PhonelinkError as error:
                failure = type(error)
                if isinstance(error, VendorError):
                    error.repeated = attempt.retry_state.attempt_number > 1
                raise
            return answer
    raise AssertionError("tenacity re-raises the last error")


def _retrying(call: Call[Any], settings: Settings, repeat: bool) -> Retrying:
    tries = settings.max_retries + 1 if repeat and (call.repeatable or call.look) else 1
    return Retrying(
        sleep=_leave_to_the_sender,
        stop=stop_after_attempt(tries) | stop_before_delay(settings.total_timeout),
        wait=_wait,
        retry=retry_if_exception(lambda error: getattr(error, "retry_helps", False)),
        before_sleep=_log_failed_try,
        reraise=True,
    )


def _wait(state: RetryCallState) -> float:
    asked_for = getattr(_error(state), "retry_after", None) or 0.0
    return max(asked_for, _backoff(state))


def _leave_to_the_sender(_: float) -> None:
    """Do not sleep here: pauses are yielded to the sender."""


def _log_failed_try(state: RetryCallState) -> None:
    _log.warning(
        "Try %d failed, next one in %.1f s: %s", state.attempt_number, state.upcoming_sleep, _error(state)
    )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
