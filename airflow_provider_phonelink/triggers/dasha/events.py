"""The trigger that wakes DAGs when registrations change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_phonelink.api import arguments, templates
from airflow_provider_phonelink.api.errors import InvalidArgumentError, PhonelinkError, TriggerArgumentError
from airflow_provider_phonelink.api.text import clean, visible_in
from airflow_provider_phonelink.decisions.pools import belongs, checked_filter
from airflow_provider_phonelink.decisions.registration import judge, rules_of
from airflow_provider_phonelink.decisions.transitions import TRANSITIONS, AlertRules, look_again
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.triggers.dasha.memory import Memory
from airflow_provider_phonelink.triggers.dasha.polling import Schedule, subscribed
from airflow_provider_phonelink.triggers.stored import from_pairs, restored, to_pairs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.registration import Judgement
    from airflow_provider_phonelink.decisions.transitions import Report, Watched
    from airflow_provider_phonelink.triggers.dasha.polling import Latest, Poller, Subscription

#: Seconds after which a yielded event is in Airflow's database: the triggerer writes once a second.
EVENT_COMMIT_SECONDS = 3.0


class Change(NamedTuple):
    """Something to report, with the look that showed it."""

    report: Report
    judgement: Judgement
    #: None if the number is gone.
    number: PhoneNumber | None


class DashaRegistrationEventTrigger(BaseEventTrigger):
    """
    Wake a DAG when a registration is lost, fails or recovers; to be used in an ``AssetWatcher``.

    It watches forever. All waits of a triggerer on one connection share their polls. A poll that fails is logged and
    the next one is awaited, whatever the cause, because somebody may fix the connection in the meantime.

    Each event is a dict with ``transition`` (``lost``, ``failed`` or ``recovered``), ``phone_number_id``,
    ``phone_number`` (None if the number is gone), ``state`` (as the vendor writes it; empty if the number is gone),
    ``message``, ``dasha_conn_id``, ``at`` (when it was seen: ISO 8601, UTC), ``since`` (the first look that showed what
    is reported: not active any more, or active again), ``reminder`` (whether it was reported before), and who is
    concerned: ``inbound_agent_id`` (None if nobody answers the number) and ``outbound_agent_ids`` (None if that could
    not be read).

    From Airflow 3.3 on, what is known of each number is kept in the asset's state store, so a change is reported
    exactly once, even if it happens while the triggerer restarts. It is stored three seconds after its event, when
    Airflow has written that to its database; Airflow confirms nothing to a trigger. Only a triggerer that is killed
    before reports it again. An asset may have one such watcher for each connection; two watchers on the same one
    would overwrite each other's state. On earlier versions, the first look after a restart only sets the baseline:
    changes in the meantime are not reported.

    :param phone_number_ids: The numbers, uuids. Give either these or ``pool``.
    :param pool: A filter for the numbers, as
        :class:`~airflow_provider_phonelink.operators.dasha.DashaRotatePhoneNumberOperator` takes it: a dict of
        ``provider_id``, ``display_name_prefix`` and ``description_tag``. Numbers may start and stop matching at any
        time.
    :param transitions: Which changes are reported: any of ``lost``, ``failed`` and ``recovered``; all by default.
    :param poll_interval: Seconds between polls, more than 0; 30 by default. Of this and the other time spans, more
        than 100 years count as 100 years.
    :param active_states: The states that count as active, regardless of case; None (default) for the connection's.
    :param failed_states: The states that count as failed, regardless of case; None (default) for the connection's.
    :param hold_for: Seconds, or a timedelta, for which each look must show a number not active before that is reported;
        0 by default. What comes and goes within that time is no event. Restarts of the triggerer count in where there
        is a state store.
    :param tell_baseline: Whether a number that is not active at its first look is reported, too; False by default.
    :param remind_every: Seconds, or a timedelta, after which a number that was reported and is still not active is
        reported again; None (default) for never.
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
        hold_for: float | timedelta = 0.0,
        tell_baseline: bool = False,
        remind_every: float | timedelta | None = None,
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
        self.hold_for = arguments.in_seconds(restored(hold_for))
        self.tell_baseline = restored(tell_baseline)
        self.remind_every = arguments.in_seconds(restored(remind_every))
        self.dasha_conn_id = restored(dasha_conn_id)
        #: The numbers that did not exist at the last look.
        self._gone: set[str] = set()
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
            for name in templates.names("transitions", self.transitions)
        ]
        self.transitions = [name for name in TRANSITIONS if name in wanted]
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval)
        if not self.poll_interval:
            raise InvalidArgumentError("poll_interval", "is 0; it has to be more.")
        self.active_states = _names("active_states", self.active_states)
        self.failed_states = _names("failed_states", self.failed_states)
        self.hold_for = arguments.seconds("hold_for", self.hold_for)
        self.tell_baseline = arguments.boolean("tell_baseline", self.tell_baseline)
        if self.remind_every is not None:
            self.remind_every = arguments.seconds("remind_every", self.remind_every)
            if not self.remind_every:
                raise InvalidArgumentError("remind_every", "is 0; it has to be more.")
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
                "hold_for": self.hold_for,
                "tell_baseline": self.tell_baseline,
                "remind_every": self.remind_every,
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
        numbers = await memory.recall()
        number_ids = self.phone_number_ids or list(numbers)
        member = partial(belongs, wanted=self.pool) if self.pool else None
        judged: datetime | None = None
        async with subscribed(self.dasha_conn_id, number_ids, Schedule(self.poll_interval), member) as (
            poller,
            subscription,
        ):
            subscription.each_look = True  # an active state may expire, and what is held back become due
            subscription.hurry()
            poller.nudge()
            while True:
                if await subscription.news(self.poll_interval) and subscription.error:
                    self._log_failed_poll(subscription)
                latest = subscription.latest
                if latest is None or latest.at == judged:  # old data says nothing about the time since
                    continue
                judged = latest.at
                changes = self._look(latest, numbers)
                for event in await self._events(changes, latest.at, poller):
                    yield TriggerEvent(visible_in(event))
                if changes:
                    await asyncio.sleep(EVENT_COMMIT_SECONDS)
                await memory.remember(numbers)

    def _look(self, latest: Latest, numbers: dict[str, Watched]) -> list[Change]:
        """Update what is known of the numbers, and return what is to be reported."""
        rules = rules_of(latest.settings, self.active_states, self.failed_states)
        looked_at: dict[str, PhoneNumber | None] = dict(latest.numbers)
        for number_id in [*numbers]:
            if number_id in latest.numbers or number_id in latest.refused:
                continue
            if number_id in self._gone and numbers[number_id].held_back:
                looked_at[number_id] = None
            else:  # it has left the pool
                del numbers[number_id]
        self._gone = {number_id for number_id, number in looked_at.items() if number is None}
        changes = []
        for number_id, number in looked_at.items():
            judgement = judge(number_id, number, rules, latest.at)
            numbers[number_id], report = look_again(
                numbers.get(number_id), judgement, latest.at, self._alerts
            )
            if report:
                self.log.info("%s: %s", report.transition.value.capitalize(), judgement.description)
            if report and report.transition.value in self.transitions:
                changes.append(Change(report, judgement, number))
            if number is None and self.pool and not numbers[number_id].held_back:
                del numbers[number_id]
        return changes

    @property
    def _alerts(self) -> AlertRules:
        remind_every = None if self.remind_every is None else timedelta(seconds=self.remind_every)
        return AlertRules(
            timedelta(seconds=self.hold_for), self.tell_baseline, remind_every, self.transitions
        )

    async def _events(self, changes: list[Change], at: datetime, poller: Poller) -> list[dict[str, Any]]:
        credentials = {number.id: number.credentials_id for _, _, number in changes if number is not None}
        outbound = await self._outbound_agents(credentials, poller) if credentials else {}
        return [
            {
                "transition": report.transition.value,
                "phone_number_id": judgement.number_id,
                "phone_number": number.phone_number if number else None,
                "state": judgement.state,
                "message": judgement.description,
                "dasha_conn_id": self.dasha_conn_id,
                "at": at.isoformat(),
                "since": report.since.isoformat(),
                "reminder": report.reminder,
                "inbound_agent_id": number.incoming_calls_agent_id if number else None,
                "outbound_agent_ids": outbound.get(judgement.number_id),
            }
            for report, judgement, number in changes
        ]

    async def _outbound_agents(self, credentials: dict[str, str], poller: Poller) -> dict[str, list[str]]:
        """Return who calls out with each number, as far as that can be read; the event does not wait for it."""
        from airflow_provider_phonelink.api.dasha.outbound import users_of

        try:
            users = await poller.run(users_of(dict(credentials)))
        except (PhonelinkFailException, PhonelinkRetryableException, PhonelinkError) as error:
            self.log.warning("Who calls out with the numbers concerned could not be read: %s", clean(error))
            return {}
        return {number_id: sorted(affected.outbound) for number_id, affected in users.items()}

    def _log_failed_poll(self, subscription: Subscription) -> None:
        failed, error = subscription.failed_polls, clean(subscription.error)
        self.log.warning("Poll failed (%d in a row), watching goes on: %s", failed, error)


def _names(argument: str, value: Sequence[str] | None) -> list[str] | None:
    return None if value is None else sorted(templates.names(argument, value))
