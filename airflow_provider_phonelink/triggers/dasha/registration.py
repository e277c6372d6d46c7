"""The trigger that waits for registrations: the deferred half of the sensor."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_phonelink.api import arguments, templates
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean, visible_in
from airflow_provider_phonelink.decisions.registration import (
    assess,
    hopeless_message,
    rules_of,
    timeout_message,
)
from airflow_provider_phonelink.decisions.waiting import REACTIONS, Doubts, is_over, outage_message
from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.triggers.dasha.polling import Schedule, subscribed
from airflow_provider_phonelink.triggers.stored import as_list, from_pairs, restored, to_pairs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from airflow_provider_phonelink.api.dasha.settings import DashaSettings
    from airflow_provider_phonelink.decisions.registration import Assessment, RegistrationRules
    from airflow_provider_phonelink.triggers.dasha.polling import Latest, Poller, Subscription


#: Seconds that the last look, at the deadline, may take.
LAST_LOOK = 15.0


class DashaRegistrationTrigger(BaseTrigger):
    """
    Wait in the triggerer until registrations are active: the deferred half of the sensor.

    It survives a restart of the triggerer, because its arguments hold all that it needs and its deadline is a point in
    time, not a duration. The connection is read again for every poll, so a changed key takes effect at the next poll.

    Yields one event, a dict with ``status`` (``active``, ``reported``, ``failed``, ``timeout`` or ``error``),
    ``states`` (number id to state), ``message`` and ``retry_helps`` (bool); if the wait reports, also ``report``,
    which the sensor returns.

    :param phone_number_ids: The numbers, uuids in lower case.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``.
    :param deadline: When the wait times out, in seconds since 1970.
    :param poll_interval: Seconds between polls. Of this and all other time spans, more than 100 years count as 100
        years.
    :param active_states: The states that count as active; None (default) for the connection's.
    :param failed_states: The states that count as failed; None (default) for the connection's.
    :param exponential_backoff: Whether each interval is twice the one before; False by default.
    :param max_wait: The longest interval in seconds; None (default) for no limit.
    :param began: When the wait began, in seconds since 1970; None (default) for now.
    :param never_seen: The numbers that no look of this wait has shown yet: they may be missing until 60 s after its
        beginning.
    :param failed_for: Seconds that a registration has to be in a failed state, at each look of this trigger, before it
        counts as failed; 0 by default.
    :param on_failed: ``fail`` (default) ends the wait with the first number for which waiting longer cannot help,
        ``report`` once no number is waiting any more.
    :param on_timeout: ``report`` adds a report to the event of a timeout; ``fail`` (default) does not.
    :param linger: If the wait reports, so many seconds after ``began`` it ends although numbers are still waiting, as
        soon as any is not: so that those can be gone on with. None (default): it does not. The event then has
        ``deadline`` and ``failing_since``, for a further wait, and its message names only the first numbers.
    :param failing_since: Since when, in seconds since 1970, each look has found registrations in a failed state, by
        number id, from the wait that this one goes on with. None (default) for a new wait.
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
        began: float | None = None,
        never_seen: Sequence[str] | None = None,
        failed_for: float = 0.0,
        on_failed: str = "fail",
        on_timeout: str = "fail",
        linger: float | None = None,
        failing_since: dict[str, float] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        # Checked in run(): an exception here would end the triggerer, and every deferred task with it.
        self.phone_number_ids = as_list(restored(phone_number_ids))
        self.dasha_conn_id = dasha_conn_id
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.active_states = as_list(restored(active_states))
        self.failed_states = as_list(restored(failed_states))
        self.exponential_backoff = exponential_backoff
        self.max_wait = max_wait
        self.began = began
        self.never_seen = as_list(restored(never_seen))
        self.failed_for = failed_for
        self.on_failed = on_failed
        self.on_timeout = on_timeout
        self.linger = linger
        self.failing_since = from_pairs(restored(failing_since))
        self._settings: DashaSettings | None = None
        self._doubts: Doubts | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments. Both must stay stable, because running triggers outlive an upgrade."""
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
                "began": self.began,
                "never_seen": self.never_seen,
                "failed_for": self.failed_for,
                "on_failed": self.on_failed,
                "on_timeout": self.on_timeout,
                "linger": self.linger,
                "failing_since": to_pairs(self.failing_since),
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until there is an event to yield. Polls are shared with the other waits on this connection."""
        try:
            self._check()
        except InvalidArgumentError as error:
            message = f"The stored arguments of this wait are unusable. {error} A retry starts it anew."
            yield TriggerEvent(self._event("error", message, None, retry_helps=True))
            return
        schedule = Schedule(self.poll_interval, self.exponential_backoff, self.max_wait)
        async with subscribed(
            self.dasha_conn_id, self.phone_number_ids, schedule, matters=self._judgements, began=self.began
        ) as (poller, subscription):
            event = await self._wait(poller, subscription)
        yield TriggerEvent(visible_in(event))

    def _check(self) -> None:
        self.phone_number_ids = arguments.uuids("phone_number_ids", self.phone_number_ids)
        self.dasha_conn_id = arguments.text("dasha_conn_id", self.dasha_conn_id)
        self.deadline = arguments.seconds("deadline", self.deadline, longest=arguments.LATEST)
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval)
        if self.max_wait is not None:
            self.max_wait = arguments.seconds("max_wait", self.max_wait)
        self.exponential_backoff = arguments.boolean("exponential_backoff", self.exponential_backoff)
        self.began = (
            time.time()
            if self.began is None
            else arguments.seconds("began", self.began, longest=arguments.LATEST)
        )
        if self.never_seen is not None:
            self.never_seen = arguments.uuids("never_seen", self.never_seen)
        self.failed_for = arguments.seconds("failed_for", self.failed_for)
        if self.linger is not None:
            self.linger = arguments.seconds("linger", self.linger)
        if self.failing_since is not None:
            if not isinstance(self.failing_since, dict):
                raise InvalidArgumentError("failing_since", "is no dict of number ids and times.")
            self.failing_since = {
                arguments.uuid("failing_since", number_id): arguments.seconds(
                    "failing_since", since, longest=arguments.LATEST
                )
                for number_id, since in self.failing_since.items()
            }
        for argument in ("on_failed", "on_timeout"):
            arguments.choice(argument, getattr(self, argument), REACTIONS)
        for argument in ("active_states", "failed_states"):
            if (states := getattr(self, argument)) is not None:
                templates.names(argument, states)

    async def _wait(self, poller: Poller, subscription: Subscription) -> dict[str, Any]:
        began = datetime.fromtimestamp(self.began or time.time(), timezone.utc)
        doubts = self._doubts = Doubts(
            self.never_seen or (), began, timedelta(seconds=self.failed_for), self.failing_since
        )
        last: Assessment | None = None
        while True:
            left = self.deadline - time.time()
            if left <= 0:
                subscription.hurry()
                poller.nudge()
            subscription.each_look = doubts.any
            news = await subscription.news(self._until_the_next_look(left, last))
            if news and subscription.error:
                if event := self._given_up(subscription, poller.max_failed_polls, last):
                    return event
                self._log_failed_poll(subscription)
            elif news and subscription.latest:
                last = self._assess(subscription.latest, doubts, last)
                if is_over(last, self.on_failed):
                    return self._over(last)
            if last is not None and self._has_lingered(last):
                return self._over(last)
            if left <= 0:
                message = self._summary(last) if last and self.linger is not None else ""
                message = message or timeout_message(self.phone_number_ids, last)
                return self._event("timeout", message, last, retry_helps=False)

    def _until_the_next_look(self, left: float, last: Assessment | None) -> float:
        """Return the seconds after which this wait looks up, although nothing may have changed."""
        if left <= 0:
            return LAST_LOOK
        lingering = self._lingering_left
        return left if lingering is None or lingering <= 0 or last is None else min(left, lingering)

    @property
    def _lingering_left(self) -> float | None:
        return None if self.linger is None else (self.began or 0) + self.linger - time.time()

    def _has_lingered(self, last: Assessment) -> bool:
        """Return whether some numbers can be gone on with, and the others were waited for long enough."""
        lingering = self._lingering_left
        return lingering is not None and lingering <= 0 and len(last.waiting) < len(last.judgements)

    def _assess(self, latest: Latest, doubts: Doubts, before: Assessment | None) -> Assessment:
        assessment = doubts.weigh(self._judged(latest), latest.at)
        summary = self._summary(assessment)
        if before is None or summary != self._summary(before):
            self.log.info("%s", summary)
        for sentence in doubts.first_time_unknown(assessment):
            self.log.warning("%s", sentence)
        return assessment

    def _judged(self, latest: Latest) -> Assessment:
        if latest.settings is not self._settings:
            self._settings = latest.settings
            self._rules: RegistrationRules = rules_of(latest.settings, self.active_states, self.failed_states)
        return assess(latest.numbers, self._rules, latest.at, latest.refused)

    def _judgements(self, latest: Latest) -> object:
        """Return what of a look can change the verdict or the message of this wait."""
        return self._judged(latest).judgements

    def _log_failed_poll(self, subscription: Subscription) -> None:
        failed, error = subscription.failed_polls, clean(subscription.error)
        self.log.warning("Poll failed (%d in a row), the wait goes on: %s", failed, error)

    def _over(self, assessment: Assessment) -> dict[str, Any]:
        if assessment.hopeless and self.on_failed == "fail":
            return self._event("failed", hopeless_message(assessment), assessment, retry_helps=False)
        status = "active" if assessment.done else "reported"
        return self._event(status, self._summary(assessment), assessment, retry_helps=False)

    def _summary(self, assessment: Assessment) -> str:
        return assessment.summary if self.linger is None else assessment.short_summary

    def _given_up(
        self, subscription: Subscription, most: int, last: Assessment | None
    ) -> dict[str, Any] | None:
        error = clean(subscription.error)
        # The read of a single number fails with the client's error, anything else with Airflow's.
        if isinstance(subscription.error, PhonelinkFailException) or not getattr(
            subscription.error, "retry_helps", True
        ):
            return self._event("error", error, last, retry_helps=False)
        if subscription.failed_polls < most:
            return None
        message = outage_message(subscription.failed_polls, error)
        return self._event("error", message, last, retry_helps=True)

    def _event(
        self, status: str, message: str, assessment: Assessment | None, *, retry_helps: bool
    ) -> dict[str, Any]:
        states = assessment.states if assessment else {}
        event = {"status": status, "message": message, "states": states, "retry_helps": retry_helps}
        if assessment and "report" in (self.on_failed, self.on_timeout):
            event["report"] = assessment.report
        if self.linger is not None:
            event["deadline"] = self.deadline
            event["failing_since"] = self._doubts.failing_since if self._doubts else self.failing_since
        return event
