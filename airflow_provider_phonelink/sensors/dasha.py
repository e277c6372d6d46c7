"""Sensors for Dasha BlackBox."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
    conf,
)
from airflow_provider_phonelink.decisions.registration import hopeless_message, timeout_message
from airflow_provider_phonelink.decisions.waiting import (
    REACTIONS,
    SHORTEST_INTERVAL,
    Doubts,
    is_over,
    next_interval,
    outage_message,
)
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.operators.arguments import given_arguments, refuse_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_phonelink.decisions.registration import Assessment
    from airflow_provider_phonelink.hooks.dasha import DashaHook

#: Airflow waits for the trigger this much longer than the sensor's own deadline, so that the two do not race.
DEFER_MARGIN = timedelta(seconds=60)


class DashaRegistrationSensor(BaseSensorOperator):
    """
    Wait until the SIP registration of every given number is active.

    The task fails at once, without a retry, if waiting longer cannot help: if a registration has failed, if it can
    never become active because it is switched off, or if a number does not exist or may not be read. When it times
    out, the message names the numbers still waiting, with their states. Poke, reschedule and deferrable mode give the
    same results, and all of them only read.

    Failed polls are tolerated until ``max_failed_polls`` of them in a row, a setting of the connection; then the task
    fails, and a retry may help. A number that no look has shown yet may be missing for the first 60 seconds, because a
    vendor's reads may lag behind its writes. In reschedule mode the sensor keeps its worker slot after a failed poll,
    while a number has never been seen, and while it depends on a registration that has been failing for less than
    ``failed_for``, because its next process would know nothing of that. If others keep the wait going until it times
    out, a registration that was failing when the last process began, ``failed_for`` after the wait did, is reported as
    failed.

    With ``soft_fail`` the task is skipped on a timeout and if a retry cannot help, but not on an outage, in all modes.
    ``execution_timeout`` also limits the whole of a deferred wait; it fails the task, with a retry if one is left, and
    never skips it.

    Returns a dict of the final states, number id to state as the vendor writes it. If ``on_failed`` or ``on_timeout``
    is ``report``, returns a dict of ``active`` (a list of ids), ``failed`` (id to reason) and ``waiting`` (id to
    state).

    From the vendor's pages on getting and listing phone numbers.

    :param phone_number_ids: The number or numbers: ids, which are uuids, or phone numbers in any notation, which cost
        one more request in all. A phone number is looked up as written and, only if none is written so, by its E.164
        form. (templated)
    :param active_states: The states that count as active, regardless of case; None (default) for the connection's.
        (templated)
    :param failed_states: The states that count as failed, regardless of case; None (default) for the connection's.
        (templated)
    :param on_failed: ``fail`` (default) fails with the first number for which waiting longer cannot help; ``report``
        waits for the others and succeeds. (templated)
    :param on_timeout: ``fail`` (default) fails on a timeout, or skips with ``soft_fail``; ``report`` succeeds, unless
        no look has succeeded, so that there is nothing to report. (templated)
    :param failed_for: How long, in seconds or as a timedelta, a registration has to be in a failed state, at each look,
        before it counts as failed: registrars may refuse for a moment and then recover. 0 by default;
        ``timedelta.max`` for never. More than 100 years count as 100 years, as in ``timeout`` and ``poke_interval``.
    :param credentials_id: The SIP credentials, a uuid, of numbers that are named by phone number, if several numbers
        have that one. None (default): any. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param deferrable: Whether to wait in the triggerer, without taking up a worker slot; by default what
        ``[operators] default_deferrable`` says.
    """

    ui_color = "#e3f2ec"
    template_fields: Sequence[str] = (
        "phone_number_ids",
        "active_states",
        "failed_states",
        "on_failed",
        "on_timeout",
        "credentials_id",
        "dasha_conn_id",
    )

    def __init__(
        self,
        *,
        phone_number_ids: str | Sequence[str],
        active_states: str | Sequence[str] | None = None,
        failed_states: str | Sequence[str] | None = None,
        on_failed: str = "fail",
        on_timeout: str = "fail",
        failed_for: float | timedelta = 0.0,
        credentials_id: str | None = None,
        dasha_conn_id: str = "dasha_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.phone_number_ids = phone_number_ids
        self.active_states = active_states
        self.failed_states = failed_states
        self.on_failed = on_failed
        self.on_timeout = on_timeout
        self.failed_for = failed_for
        self.credentials_id = credentials_id
        self.dasha_conn_id = dasha_conn_id
        self.deferrable = deferrable
        self._failed_polls = 0
        self._last: Assessment | None = None
        #: The same look as it is likely to be; see :meth:`_presumed`.
        self._likely: Assessment | None = None
        #: The ids of all numbers; of those that are named by phone number, once a look has found them.
        self._ids: list[str] | None = None
        self._given = given_arguments(self)

    @cached_property
    def hook(self) -> DashaHook:
        """The hook, which is made when a task runs, not when a DAG file is parsed. It does not repeat failed polls."""
        from airflow_provider_phonelink.hooks.dasha import DashaHook

        return DashaHook(self.dasha_conn_id, max_retries=0)

    def execute(self, context: Context) -> Any:
        """Wait; in deferrable mode, look once and leave the rest to the trigger."""
        self._check()
        first_look = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        self._begin(first_look)
        try:
            with self.hook:
                return super().execute(context)
        except AirflowSensorTimeout:
            return self._timed_out()
        except AirflowTaskTimeout:
            self._fail_on_execution_timeout()
        except AirflowSkipException as skip:
            if skip.__cause__ is None:  # Airflow's soft_fail on a timeout
                return self._timed_out()
            if isinstance(skip.__cause__, AirflowTaskTimeout):
                self._fail_on_execution_timeout()
            self.log.warning("%s", skip.__cause__)
            raise

    def _check(self) -> None:
        refuse_none(self, self._given)
        with as_airflow_exceptions():
            for argument in ("on_failed", "on_timeout"):
                arguments.choice(argument, getattr(self, argument), REACTIONS)
            # Airflow takes longer ones than it can add to a date.
            self.timeout = arguments.seconds("timeout", self.timeout)
            self.poke_interval = max(
                SHORTEST_INTERVAL, arguments.seconds("poke_interval", self.poke_interval)
            )
            self._failed_for_seconds = arguments.seconds("failed_for", arguments.in_seconds(self.failed_for))

    def _begin(self, first_look: datetime | None) -> None:
        """
        Begin the wait.

        :param first_look: When the first process of this wait looked; it has seen all numbers that exist.
        """
        self._began = first_look or datetime.now(timezone.utc)
        self._deadline = self._began.timestamp() + self.timeout
        names = self._names()
        if all(map(is_uuid, names)):
            self._ids = names
        # A number that is found by its phone number has been seen.
        never_seen = () if first_look else filter(is_uuid, names)
        # Once in a wait: the trigger warns by itself, and so did an earlier process.
        self._warns = not first_look and not self.deferrable
        self._doubts = Doubts(never_seen, self._began, timedelta(seconds=self._failed_for_seconds))
        self._presumes = first_look is not None
        self._presumption: Doubts | None = None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; in reschedule mode, look until nothing is open that the next process would not know of."""
        while (result := self._look_once()) is None:
            if self.deferrable and self._ids:
                self._defer(self._ids)
            left = self._deadline - time.time()
            if left <= 0 or not self.reschedule or not (self._failed_polls or self._is_to_be_watched):
                return PokeReturnValue(is_done=False)
            time.sleep(min(left, next_interval(self.poke_interval, 1)))
        return PokeReturnValue(is_done=True, xcom_value=result)

    @property
    def _is_to_be_watched(self) -> bool:
        """Whether something is in doubt on which it depends whether the wait goes on."""
        if self._presumption is None or self._likely is None:
            return self._doubts.any
        return self._presumption.any or (self._doubts.any and is_over(self._likely, self.on_failed))

    def _presumed(self, look: Assessment, now: datetime) -> Assessment:
        """
        Return a look as it is likely to be, where earlier processes of the wait have looked.

        What was failing when this process began may have been for as long as the wait has lasted. That decides what is
        reported when time is up, not that the wait is over: it may be failing only for a moment.
        """
        if self._presumption is None:
            since = dict.fromkeys(
                (judgement.number_id for judgement in look.judgements), self._began.timestamp()
            )
            failed_for = timedelta(seconds=self._failed_for_seconds)
            self._presumption = Doubts((), self._began, failed_for, since)
        return self._presumption.weigh(look, now)

    def _look_once(self) -> dict[str, Any] | None:
        """Look, and return the result if there is nothing left to wait for."""
        try:
            look, now = self._look(), datetime.now(timezone.utc)
            self._last = assessment = self._doubts.weigh(look, now)
            self._likely = self._presumed(look, now) if self._presumes else assessment
        except PhonelinkRetryableException as error:
            self._failed_polls += 1
            if self._failed_polls >= self.hook.max_failed_polls:
                message = outage_message(self._failed_polls, error)
                raise PhonelinkRetryableException(message) from error.__cause__
            self.log.warning("Poll failed (%d in a row), the wait goes on: %s", self._failed_polls, error)
            return None
        self._failed_polls = 0
        self.log.info("%s", assessment.summary)
        if self._warns:
            for sentence in self._doubts.first_time_unknown(assessment):
                self.log.warning("%s", sentence)
        if assessment.hopeless and self.on_failed == "fail":
            raise PhonelinkFailException(hopeless_message(assessment))
        if not is_over(assessment, self.on_failed):
            return None
        return assessment.report if "report" in (self.on_failed, self.on_timeout) else assessment.states

    def _timed_out(self, why: str = "") -> dict[str, Any]:
        """Report, fail or skip, as the arguments say; ``why`` ends the message."""
        message = timeout_message(self._names(), self._last) + why
        if self.on_timeout == "report" and self._likely is not None:
            self.log.warning("%s", message)
            return self._likely.report
        raise (AirflowSkipException if self.soft_fail else AirflowSensorTimeout)(message)

    def _fail_on_execution_timeout(self, message: str | None = None) -> NoReturn:
        seconds = self.execution_timeout.total_seconds() if self.execution_timeout else 0
        message = message or timeout_message(self._names(), self._last)
        raise AirflowTaskTimeout(f"The execution_timeout of {seconds:g} s is over. {message}")

    def _look(self) -> Assessment:
        from airflow_provider_phonelink.decisions.registration import rules_of
        from airflow_provider_phonelink.promises.dasha.wait import look_at_registrations

        names = self._names()
        settings = self.hook.refresh()
        with as_airflow_exceptions():
            rules = rules_of(settings, self.active_states, self.failed_states)
        look = self.hook.run(look_at_registrations(names, rules, credentials_id=self.credentials_id))
        self._ids = [judgement.number_id for judgement in look.judgements]
        return look

    def _names(self) -> list[str]:
        """Return what names the numbers: ids or, until a look has found these, also phone numbers."""
        if self._ids:
            return self._ids
        with as_airflow_exceptions():
            return arguments.number_names("phone_number_ids", self.phone_number_ids, uuids=True)

    def _patience(self) -> float:
        """Return the seconds that a deferred wait may take."""
        limits = [self.timeout, *([self.execution_timeout.total_seconds()] if self.execution_timeout else [])]
        return min(limits)

    def _defer(self, number_ids: list[str]) -> None:
        from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

        began = self._began.timestamp()
        deadline = began + self._patience()
        self.defer(
            trigger=DashaRegistrationTrigger(
                phone_number_ids=number_ids,
                dasha_conn_id=self.dasha_conn_id,
                deadline=deadline,
                poll_interval=self.poke_interval,
                active_states=self.active_states,
                failed_states=self.failed_states,
                exponential_backoff=bool(self.exponential_backoff),
                max_wait=self.max_wait.total_seconds() if self.max_wait else None,
                began=began,
                never_seen=sorted(self._doubts.never_seen) or None,
                failed_for=self._failed_for_seconds,
                on_failed=self.on_failed,
                on_timeout=self.on_timeout,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=max(deadline - time.time(), 0)) + DEFER_MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """
        Resume with the trigger's event.

        :param event: The event; see :class:`~airflow_provider_phonelink.triggers.dasha.DashaRegistrationTrigger`.
        """
        status, message = (event or {}).get("status"), (event or {}).get("message", "")
        if event is None or status not in {"active", "reported", "failed", "timeout", "error"}:
            raise PhonelinkRetryableException(
                f"The trigger ended with an event that means nothing here: {event!r}."
            )
        self.log.info("%s", message)
        report: dict[str, Any] | None = event.get("report")
        if status == "timeout":
            if self._patience() < self.timeout:
                self._fail_on_execution_timeout(message)
            if self.on_timeout == "report" and report is not None:
                return report
            raise AirflowSensorTimeout(message)
        if status in {"failed", "error"}:
            raise airflow_exception(message, retry_helps=bool(event.get("retry_helps")))
        states: dict[str, str] = event["states"]
        return states if report is None else report

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after the trigger. Unlike Airflow's own sensors, skip only on what skips in poke mode, too."""
        try:
            try:
                return super(BaseSensorOperator, self).resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout:
                return self._after_no_event()
        except AirflowSkipException:
            raise
        except Exception as error:
            # In poke mode, Airflow skips for never_fail on whatever a look raises, and a timeout is none of that.
            skips = self.soft_fail if isinstance(error, AirflowSensorTimeout) else self.never_fail
            if skips or (self.soft_fail and isinstance(error, AirflowFailException)):
                raise AirflowSkipException(str(error)) from error
            raise

    def _after_no_event(self) -> dict[str, Any]:
        """Look once more, because no triggerer reported in time how the wait ended."""
        self._check()
        self._begin(datetime.now(timezone.utc))
        try:
            with self.hook:
                if (result := self._look_once()) is not None:
                    return result
        except PhonelinkRetryableException as error:
            self.log.warning("The last look failed: %s", error)
        why = " No triggerer took up the wait, or none was running at its end: check that one is running."
        if self._patience() < self.timeout:
            self._fail_on_execution_timeout(timeout_message(self._names(), self._last) + why)
        return self._timed_out(why)
