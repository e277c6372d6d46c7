"""Sensors for Dasha BlackBox."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.compat import AirflowSensorTimeout, AirflowSkipException, conf
from airflow_provider_phonelink.decisions.registration import hopeless_message, timeout_message
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_phonelink.decisions.registration import Assessment
    from airflow_provider_phonelink.hooks.dasha import DashaHook

#: How much longer than the sensor's own deadline Airflow waits for the trigger, so that the two do not race.
DEFER_MARGIN = timedelta(seconds=60)


class DashaRegistrationSensor(BaseSensorOperator):
    """
    Wait until the SIP registration of every given number is active.

    Fails at once, without a retry, if a registration failed, can never become active (it is switched off)
    or the number does not exist. On a timeout the message names the numbers still waiting with their
    states. Poke, reschedule and deferrable mode give the same answers; all of them only read.

    Polls that fail are tolerated up to ``max_failed_polls`` of the connection in a row; in reschedule mode,
    where each poll is a process of its own, until the timeout.

    Returns the final states: number id to state.

    :param phone_number_ids: One number or several, uuids. (templated)
    :param active_states: States that count as active, in any case; None for the connection's. (templated)
    :param failed_states: States that count as failed, in any case; None for the connection's. (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default from
        ``[operators] default_deferrable``.
    """

    ui_color = "#e3f2ec"
    template_fields: Sequence[str] = ("phone_number_ids", "active_states", "failed_states", "dasha_conn_id")

    def __init__(
        self,
        *,
        phone_number_ids: str | Sequence[str],
        active_states: str | Sequence[str] | None = None,
        failed_states: str | Sequence[str] | None = None,
        dasha_conn_id: str = "dasha_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.phone_number_ids = phone_number_ids
        self.active_states = active_states
        self.failed_states = failed_states
        self.dasha_conn_id = dasha_conn_id
        self.deferrable = deferrable
        self._failed_polls = 0
        self._last: Assessment | None = None

    @cached_property
    def hook(self) -> DashaHook:
        """The hook, made when a task runs and not when a DAG file is parsed. A poll is not tried again."""
        from airflow_provider_phonelink.hooks.dasha import DashaHook

        return DashaHook(self.dasha_conn_id, max_retries=0)

    def execute(self, context: Context) -> Any:
        """Wait; in deferrable mode look once and leave the rest to the trigger."""
        self._deadline = time.time() + self.timeout
        try:
            with self.hook:
                return super().execute(context)
        except AirflowSensorTimeout as timeout:
            raise AirflowSensorTimeout(timeout_message(self._ids(), self._last)) from timeout
        except AirflowSkipException as skip:
            if skip.__cause__ is None:  # Airflow's soft_fail on a timeout
                raise AirflowSkipException(timeout_message(self._ids(), self._last)) from skip
            self.log.warning("%s", skip.__cause__)
            raise

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        try:
            self._last = assessment = self._look()
        except PhonelinkRetryableException as error:
            self._failed_polls += 1
            if self._failed_polls >= self.hook.max_failed_polls:
                raise
            self.log.warning("Poll failed (%d in a row), the wait goes on: %s", self._failed_polls, error)
        else:
            self._failed_polls = 0
            self.log.info("%s", assessment.summary)
            if assessment.hopeless:
                raise PhonelinkFailException(hopeless_message(assessment))
            if assessment.done:
                return PokeReturnValue(is_done=True, xcom_value=assessment.states)
        if self.deferrable:
            self._defer()
        return PokeReturnValue(is_done=False)

    def _look(self) -> Assessment:
        from airflow_provider_phonelink.decisions.registration import rules_of
        from airflow_provider_phonelink.promises.dasha.wait import look_at_registrations

        ids = self._ids()
        settings = self.hook.refresh()
        with as_airflow_exceptions():
            rules = rules_of(settings, self.active_states, self.failed_states)
        return self.hook.run(look_at_registrations(ids, rules))

    def _ids(self) -> list[str]:
        with as_airflow_exceptions():
            return arguments.uuids("phone_number_ids", self.phone_number_ids)

    def _defer(self) -> None:
        from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

        left = max(self._deadline - time.time(), 0)
        self.defer(
            trigger=DashaRegistrationTrigger(
                phone_number_ids=self._ids(),
                dasha_conn_id=self.dasha_conn_id,
                deadline=self._deadline,
                poll_interval=self.poke_interval,
                active_states=self.active_states,
                failed_states=self.failed_states,
                exponential_backoff=bool(self.exponential_backoff),
                max_wait=self.max_wait.total_seconds() if self.max_wait else None,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=left) + DEFER_MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """
        Take the trigger's event.

        :param event: The event; see :class:`~airflow_provider_phonelink.triggers.dasha.DashaRegistrationTrigger`.
        """
        status, message = (event or {}).get("status"), (event or {}).get("message", "")
        if event is None or status not in {"active", "failed", "timeout", "error"}:
            raise PhonelinkRetryableException(
                f"The trigger ended with an event that means nothing here: {event!r}."
            )
        # Logged here, for a soft fail skips the task without saying why.
        self.log.info("%s", message)
        if status == "timeout":
            raise AirflowSensorTimeout(message)
        if status != "active":
            raise airflow_exception(message, retry_helps=bool(event.get("retry_helps")))
        states: dict[str, str] = event["states"]
        return states
