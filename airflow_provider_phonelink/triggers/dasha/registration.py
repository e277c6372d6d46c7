"""Triggers for Dasha BlackBox."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.registration import assess, hopeless_message, timeout_message
from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.triggers.dasha.polling import Schedule, subscribed
from airflow_provider_phonelink.triggers.stored import as_list, restored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from airflow_provider_phonelink.decisions.registration import Assessment
    from airflow_provider_phonelink.triggers.dasha.polling import Latest, Poller, Subscription


#: Seconds that the last look, at the deadline, may take.
LAST_LOOK = 15.0


class DashaRegistrationTrigger(BaseTrigger):
    """
    Wait until the registrations of some numbers are active; the deferred half of the sensor.

    Survives restarts of the triggerer: what it needs is in its arguments, and its deadline is a moment and
    not a duration. The connection is read again at every poll, so an edited key works at the next one.

    Yields one event, a dict with ``status`` (``active``, ``failed``, ``timeout`` or ``error``), ``states``
    (number id to state), ``message`` and ``retry_helps``.

    :param phone_number_ids: The numbers, uuids in canonical form.
    :param dasha_conn_id: Airflow connection of type ``dasha``.
    :param deadline: Seconds since the epoch after which the wait times out.
    :param poll_interval: Seconds between polls.
    :param active_states: States that count as active; None for the connection's.
    :param failed_states: States that count as failed; None for the connection's.
    :param exponential_backoff: Whether each interval is twice the one before.
    :param max_wait: Seconds that an interval may grow to; None for no limit.
    """

    def __init__(
        self,
        *,
        phone_number_ids: list[str],
        dasha_conn_id: str,
        deadline: float,
        poll_interval: float,
        active_states: Sequence[str] | None = None,
        failed_states: Sequence[str] | None = None,
        exponential_backoff: bool = False,
        max_wait: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        # Checked in run(): an exception here would end the triggerer, and with it every deferred task.
        self.phone_number_ids = as_list(restored(phone_number_ids))
        self.dasha_conn_id = dasha_conn_id
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.active_states = as_list(restored(active_states))
        self.failed_states = as_list(restored(failed_states))
        self.exponential_backoff = exponential_backoff
        self.max_wait = max_wait

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments; both stay stable, for triggers in flight outlive an upgrade."""
        return (
            "airflow_provider_phonelink.triggers.dasha.DashaRegistrationTrigger",
            {
                "phone_number_ids": self.phone_number_ids,
                "dasha_conn_id": self.dasha_conn_id,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "active_states": self.active_states,
                "failed_states": self.failed_states,
                "exponential_backoff": self.exponential_backoff,
                "max_wait": self.max_wait,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until there is an event to yield. Polls are shared with the other waits on this connection."""
        try:
            self._check()
        except InvalidArgumentError as error:
            message = f"The stored arguments of this wait are unusable. {error} A retry starts it anew."
            yield TriggerEvent(_event("error", message, None, retry_helps=True))
            return
        schedule = Schedule(self.poll_interval, self.exponential_backoff, self.max_wait)
        async with subscribed(self.dasha_conn_id, self.phone_number_ids, schedule) as (poller, subscription):
            event = await self._wait(poller, subscription)
        yield TriggerEvent(event)

    def _check(self) -> None:
        self.phone_number_ids = arguments.uuids("phone_number_ids", self.phone_number_ids)
        self.dasha_conn_id = arguments.text("dasha_conn_id", self.dasha_conn_id)
        self.deadline = arguments.seconds("deadline", self.deadline)
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval)
        if self.max_wait is not None:
            self.max_wait = arguments.seconds("max_wait", self.max_wait)
        self.exponential_backoff = arguments.boolean("exponential_backoff", self.exponential_backoff)
        for argument in ("active_states", "failed_states"):
            if (states := getattr(self, argument)) is not None:
                arguments.names(argument, states)

    async def _wait(self, poller: Poller, subscription: Subscription) -> dict[str, Any]:
        last: Assessment | None = None
        while True:
            left = self.deadline - time.time()
            if left <= 0:
                subscription.hurry()
                poller.nudge()
            news = await subscription.news(left if left > 0 else LAST_LOOK)
            if news and subscription.error:
                if event := _given_up(subscription, poller.max_failed_polls, last):
                    return event
                self._log_failed_poll(subscription)
            elif news and subscription.latest:
                last = self._assess(subscription.latest, last)
                if event := _ended(last):
                    return event
            if left <= 0:
                return _event(
                    "timeout", timeout_message(self.phone_number_ids, last), last, retry_helps=False
                )

    def _assess(self, latest: Latest, before: Assessment | None) -> Assessment:
        from airflow_provider_phonelink.decisions.registration import rules_of

        rules = rules_of(latest.settings, self.active_states, self.failed_states)
        assessment = assess(latest.numbers, rules, datetime.now(timezone.utc))
        if before is None or assessment.summary != before.summary:
            self.log.info("%s", assessment.summary)
        return assessment

    def _log_failed_poll(self, subscription: Subscription) -> None:
        failed, error = subscription.failed_polls, clean(subscription.error)
        self.log.warning("Poll failed (%d in a row), the wait goes on: %s", failed, error)


def _ended(assessment: Assessment) -> dict[str, Any] | None:
    if assessment.hopeless:
        return _event("failed", hopeless_message(assessment), assessment, retry_helps=False)
    if assessment.done:
        return _event("active", assessment.summary, assessment, retry_helps=False)
    return None


def _given_up(subscription: Subscription, most: int, last: Assessment | None) -> dict[str, Any] | None:
    error = clean(subscription.error)
    # A number's own read fails with the client's error, everything else with Airflow's.
    if isinstance(subscription.error, PhonelinkFailException) or not getattr(
        subscription.error, "retry_helps", True
    ):
        return _event("error", error, last, retry_helps=False)
    if subscription.failed_polls < most:
        return None
    message = f"{subscription.failed_polls} polls in a row failed, the last one so: {error}"
    return _event("error", message, last, retry_helps=True)


def _event(status: str, message: str, assessment: Assessment | None, *, retry_helps: bool) -> dict[str, Any]:
    states = assessment.states if assessment else {}
    return {"status": status, "message": message, "states": states, "retry_helps": retry_helps}
