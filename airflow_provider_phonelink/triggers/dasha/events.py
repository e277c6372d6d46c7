"""The trigger that wakes DAGs when registrations change."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError, TriggerArgumentError
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.pools import belongs, checked_filter
from airflow_provider_phonelink.decisions.registration import judge
from airflow_provider_phonelink.decisions.transitions import TRANSITIONS, Condition, next_condition
from airflow_provider_phonelink.triggers.dasha.polling import Schedule, subscribed
from airflow_provider_phonelink.triggers.stored import from_pairs, restored, to_pairs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from airflow.sdk.execution_time.context import AssetStateStoreAccessors

    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.registration import Judgement
    from airflow_provider_phonelink.decisions.transitions import Transition
    from airflow_provider_phonelink.triggers.dasha.polling import Latest, Subscription

_log = logging.getLogger(__name__)

#: Seconds after which a yielded event is in Airflow's database: the triggerer writes once a second.
EVENT_COMMIT_SECONDS = 3.0


class DashaRegistrationEventTrigger(BaseEventTrigger):
    """
    Wake a DAG when a registration is lost, fails or recovers; to be used in an ``AssetWatcher``.

    It watches forever. All waits of a triggerer on one connection share their polls. A poll that fails is logged and
    the next one is awaited, whatever the cause, because somebody may fix the connection in the meantime.

    Each event is a dict with ``transition`` (``lost``, ``failed`` or ``recovered``), ``phone_number_id``,
    ``phone_number`` (None if the number is gone), ``state`` (as the vendor writes it; empty if the number is gone),
    ``message``, ``dasha_conn_id`` and ``at`` (when it was seen: ISO 8601, UTC).

    From Airflow 3.3 on, the last condition of each number is kept in the asset's state store, so a change is reported
    exactly once, even if it happens while the triggerer restarts. Only a triggerer that is killed within three seconds
    of an event reports it again. An asset may have one such watcher for each connection; two watchers on the same one
    would overwrite each other's state. On earlier versions, the first look after a restart only sets the baseline:
    changes in the meantime are not reported.

    :param phone_number_ids: The numbers, uuids. Give either these or ``pool``.
    :param pool: A filter for the numbers, as
        :class:`~airflow_provider_phonelink.operators.dasha.DashaRotatePhoneNumberOperator` takes it: a dict of
        ``provider_id``, ``display_name_prefix`` and ``description_tag``. Numbers may start and stop matching at any
        time.
    :param transitions: Which changes are reported: any of ``lost``, ``failed`` and ``recovered``; all by default.
    :param poll_interval: Seconds between polls, more than 0; 30 by default.
    :param active_states: The states that count as active, regardless of case; None (default) for the connection's.
    :param failed_states: The states that count as failed, regardless of case; None (default) for the connection's.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``.
    :param stored: Set by Airflow when it creates the trigger from its database; leave it out. If a stored argument
        cannot be used, no exception is raised, because that would affect other triggers; instead the problem is logged
        when the trigger runs, and nothing is watched until the DAG file is parsed again.
    :raises TriggerArgumentError: When the DAG file is parsed, if an argument is not as described. It is an
        ``InvalidArgumentError``.
    """

    def __init__(
        self,
        *,
        phone_number_ids: Sequence[str] | None = None,
        pool: Mapping[str, str] | None = None,
        transitions: Sequence[str] = TRANSITIONS,
        poll_interval: float = 30.0,
        active_states: Sequence[str] | None = None,
        failed_states: Sequence[str] | None = None,
        dasha_conn_id: str = "dasha_default",
        stored: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.phone_number_ids = restored(phone_number_ids)
        self.pool = from_pairs(restored(pool))
        self.transitions = restored(transitions)
        self.poll_interval = restored(poll_interval)
        self.active_states = restored(active_states)
        self.failed_states = restored(failed_states)
        self.dasha_conn_id = restored(dasha_conn_id)
        #: What is wrong with the arguments, if anything is.
        self.problem: str | None = None
        try:
            self._check()
        except InvalidArgumentError as error:
            if not stored:
                raise TriggerArgumentError(error.argument, error.problem) from None
            self.problem = str(error)

    def _check(self) -> None:
        """Check the arguments, and bring them into a form that is the same at every parse."""
        if (self.phone_number_ids is None) == (self.pool is None):
            raise InvalidArgumentError("phone_number_ids", "name either these or a pool.")
        if self.phone_number_ids is not None:
            self.phone_number_ids = sorted(arguments.uuids("phone_number_ids", self.phone_number_ids))
        if self.pool is not None:
            self.pool = checked_filter("pool", self.pool)
        wanted = [
            arguments.choice("transitions", name, TRANSITIONS)
            for name in arguments.names("transitions", self.transitions)
        ]
        self.transitions = [name for name in TRANSITIONS if name in wanted]
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval)
        if not self.poll_interval:
            raise InvalidArgumentError("poll_interval", "is 0; it has to be more.")
        self.active_states = _names("active_states", self.active_states)
        self.failed_states = _names("failed_states", self.failed_states)
        self.dasha_conn_id = arguments.text("dasha_conn_id", self.dasha_conn_id)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments. Both must stay stable, because running triggers outlive an upgrade."""
        return (
            "airflow_provider_phonelink.triggers.dasha.DashaRegistrationEventTrigger",
            {
                "phone_number_ids": self.phone_number_ids,
                "pool": to_pairs(self.pool),
                "transitions": self.transitions,
                "poll_interval": self.poll_interval,
                "active_states": self.active_states,
                "failed_states": self.failed_states,
                "dasha_conn_id": self.dasha_conn_id,
                "stored": True,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch, and yield an event for each change."""
        if self.problem:
            self.log.error(
                "Nothing is watched, for the stored arguments of this watcher are unusable. %s The DAG processor "
                "replaces them when it parses the DAG file of the watcher again.",
                self.problem,
            )
            # A trigger that ends is started again every second, and would log this each time.
            await asyncio.Event().wait()
        memory = Memory(getattr(self, "asset_state_store", None), self.dasha_conn_id, self.poll_interval)
        conditions = await memory.recall()
        number_ids = self.phone_number_ids or list(conditions)
        member = partial(belongs, wanted=self.pool) if self.pool else None
        async with subscribed(self.dasha_conn_id, number_ids, Schedule(self.poll_interval), member) as (
            poller,
            subscription,
        ):
            subscription.hurry()
            poller.nudge()
            while True:
                # Look even if nothing changed: an active state may have expired.
                if await subscription.news(self.poll_interval) and subscription.error:
                    self._log_failed_poll(subscription)
                if subscription.latest is None:
                    continue
                changes = self._look(subscription.latest, conditions)
                for event in changes:
                    yield TriggerEvent(event)
                if changes:
                    await asyncio.sleep(EVENT_COMMIT_SECONDS)
                await memory.remember(conditions)

    def _look(self, latest: Latest, conditions: dict[str, Condition]) -> list[dict[str, Any]]:
        """Update the conditions, and return the events to yield."""
        from airflow_provider_phonelink.decisions.registration import rules_of

        rules = rules_of(latest.settings, self.active_states, self.failed_states)
        now = datetime.now(timezone.utc)
        events = []
        for number_id, number in latest.numbers.items():
            judgement = judge(number_id, number, rules, now)
            conditions[number_id], transition = next_condition(conditions.get(number_id), judgement)
            if transition:
                self.log.info("%s: %s", transition.value.capitalize(), judgement.description)
            if transition and transition.value in self.transitions:
                events.append(self._event(judgement, transition, number, now))
        # Forget numbers that were deleted or have left the pool.
        for number_id in [*conditions]:
            if number_id not in latest.numbers or (self.pool and latest.numbers[number_id] is None):
                del conditions[number_id]
        return events

    def _event(
        self, judgement: Judgement, transition: Transition, number: PhoneNumber | None, now: datetime
    ) -> dict[str, Any]:
        return {
            "transition": transition.value,
            "phone_number_id": judgement.number_id,
            "phone_number": number.phone_number if number else None,
            "state": judgement.state,
            "message": judgement.description,
            "dasha_conn_id": self.dasha_conn_id,
            "at": now.isoformat(),
        }

    def _log_failed_poll(self, subscription: Subscription) -> None:
        failed, error = subscription.failed_polls, clean(subscription.error)
        self.log.warning("Poll failed (%d in a row), watching goes on: %s", failed, error)


def _names(argument: str, value: Sequence[str] | None) -> list[str] | None:
    return None if value is None else sorted(arguments.names(argument, value))


class Memory:
    """The last condition of each number, kept in the asset's state store if Airflow has one."""

    def __init__(self, store: AssetStateStoreAccessors | None, dasha_conn_id: str, patience: float) -> None:
        self._store = store
        self._key = f"phonelink_{dasha_conn_id}"
        #: Seconds between attempts to read the store.
        self._patience = patience
        self._stored: dict[str, str] = {}

    async def recall(self) -> dict[str, Condition]:
        """Return the conditions that an earlier triggerer stored; without them, the first look sets the baseline."""
        while self._store is not None:
            try:
                stored = await self._store.aget(self._key)
            except ValueError:
                _log.warning("Several assets share one watcher, so it has no memory across restarts.")
                self._store = None
            except Exception:
                # Going on without it might lose a change.
                _log.warning("The asset's state could not be read; trying again", exc_info=True)
                await asyncio.sleep(self._patience)
            else:
                self._stored = stored if isinstance(stored, dict) else {}  # type: ignore[assignment]
                break
        return {number_id: Condition(condition) for number_id, condition in self._stored.items()}

    async def remember(self, conditions: Mapping[str, Condition]) -> None:
        """Store the conditions for the next triggerer, if they have changed."""
        plain = {number_id: condition.value for number_id, condition in conditions.items()}
        if self._store is None or plain == self._stored:
            return
        try:
            await self._store.aset(self._key, plain)  # type: ignore[arg-type]
        except Exception:
            _log.warning(
                "The asset's state could not be written; trying again after the next poll", exc_info=True
            )
        else:
            self._stored = plain
