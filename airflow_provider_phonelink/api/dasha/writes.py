"""
Flows that write to Dasha BlackBox and are safe to repeat.

A write whose outcome is unknown (lost answer, 5xx, 429) is repeated only after a look at the current state.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.calls import AlreadyDone, Call, Flow
from airflow_provider_phonelink.api.dasha import endpoints, reads
from airflow_provider_phonelink.api.errors import (
    ChangedMeanwhileError,
    ConflictError,
    NotFoundError,
    RejectedError,
)
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.patience import patiently

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from airflow_provider_phonelink.api.dasha.endpoints import Configuration
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.api.errors import VendorError


ONE_DAY = timedelta(days=1)


class _NotLooked:
    """Marks an inbound link that was not read before the write."""


NOT_LOOKED = _NotLooked()
SeenAgent = str | None | _NotLooked


def create_number(
    phone_number: str, credentials_id: str, **configuration: Any
) -> Flow[tuple[PhoneNumber, bool]]:
    """
    Create a number, once.

    :return: The number, and whether it was found after a try whose answer was lost: either that try created it, or
        somebody else created it in the meantime.
    """
    return (yield from send_creation(endpoints.create_number(phone_number, credentials_id, **configuration)))


def send_creation(call: Call[Any]) -> Flow[tuple[PhoneNumber, bool]]:
    """Do what :func:`create_number` does with a call that the endpoint has made."""

    def look() -> Flow[AlreadyDone[tuple[PhoneNumber, bool]] | None]:
        number = yield from reads.find_number(*pair_of(call))
        return AlreadyDone((number, True)) if number else None

    began = datetime.now(timezone.utc)
    try:
        created: tuple[PhoneNumber, bool] = yield replace(
            call, read=lambda body: (call.read(body), False), look=look
        )
    except (RejectedError, ConflictError) as refusal:
        # Where the vendor stores another notation or does not show the number yet, the look did not see what the try
        # before had made, and the repeat was refused because of it.
        number = (yield from found_after(refusal, *pair_of(call))) if refusal.repeated else None
        if number is None or _is_older(number, began):
            raise
        return number, True
    return created


def found_after(
    refusal: RejectedError | ConflictError, phone_number: str, credentials_id: str
) -> Flow[PhoneNumber | None]:
    """Look for what the vendor may have refused to create twice, in any notation, until it shows if it must exist."""
    must_exist = isinstance(refusal, ConflictError) or refusal.repeated

    def look() -> Flow[PhoneNumber | None]:
        found = yield from reads.find_number(phone_number, credentials_id)
        if found is None:
            found = yield from reads.find_in_another_notation(phone_number, credentials_id, thorough=True)
        return found

    return (yield from patience.until(bool, look) if must_exist else look())


def _is_older(number: PhoneNumber, than: datetime) -> bool:
    """Return whether a number is certainly older; a day allows for a time that is told without its zone."""
    created = number.created_time
    return (
        isinstance(created, datetime)
        and created.replace(tzinfo=created.tzinfo or timezone.utc) < than - ONE_DAY
    )


def pair_of(call: Call[PhoneNumber]) -> tuple[str, str]:
    """Return the phone number and the credentials of a call that creates a number: what is unique."""
    body = call.body or {}
    return body["phoneNumber"], body["credentialsId"]


def update_number(
    number_id: str, phone_number: str, credentials_id: str, **configuration: Unpack[Configuration]
) -> Flow[PhoneNumber]:
    """Replace a number's configuration; see :func:`airflow_provider_phonelink.api.dasha.endpoints.update_number`."""
    number = yield endpoints.update_number(number_id, phone_number, credentials_id, **configuration)
    return (yield from _read_if_untold(number, number_id))


def link(
    number_id: str,
    agent_id: str,
    mode: str = "inbound",
    *,
    seen: SeenAgent = NOT_LOOKED,
    looked: Callable[[str | None], None] = lambda _: None,
) -> Flow[PhoneNumber]:
    """
    Link a number to an agent.

    :param seen: The inbound agent at the last look. A repeat takes the number from that agent only.
    :param looked: Told before a repeat who has the number by then: that agent, nobody, or this one already.
    :raises ChangedMeanwhileError: If a repeat would take the number from another agent.
    """
    return (yield from send_link(endpoints.link(number_id, agent_id, mode), number_id, seen, looked))


def send_link(
    call: Call[PhoneNumber | None],
    number_id: str,
    seen: SeenAgent = NOT_LOOKED,
    looked: Callable[[str | None], None] = lambda _: None,
) -> Flow[PhoneNumber]:
    """Do what :func:`link` does with a call that the endpoint has made."""
    agent_id, last = call.params["agentId"], seen

    def look() -> Flow[AlreadyDone[PhoneNumber] | None]:
        nonlocal last
        number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
        now = number.incoming_calls_agent_id
        if now not in (None, agent_id, last):
            raise _linked_meanwhile(number.label, agent_id, now)
        last = now
        looked(now)
        return AlreadyDone(number) if now == agent_id else None

    number = yield call if call.repeatable else replace(call, look=look)
    return (yield from _read_if_untold(number, number_id))


def _linked_meanwhile(label: str, agent_id: str, now: str | None) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        f"Number {label} was not linked to {agent_label(agent_id)}: the outcome of the first try is unknown, and "
        f"{agent_label(now)} has the number now, perhaps linked in the meantime. It was left with {agent_label(now)}. "
        "Run the task again to take it over (if_linked='replace')."
    )


def unlink(
    number_id: str,
    mode: str = "inbound",
    agent_id: str | None = None,
    *,
    seen: SeenAgent = NOT_LOOKED,
    looked: Callable[[str | None], None] = lambda _: None,
) -> Flow[PhoneNumber]:
    """
    Unlink a number.

    :param seen: The inbound agent at the last look; ``agent_id`` if there was no look. A repeat takes the
        number from that agent only.
    :param looked: Told None if nobody has the number by then.
    :raises ChangedMeanwhileError: If it is not known from which agent a repeat would take the number.
    :raises NotFoundError: If there is no such number.
    :raises VendorError: If the vendor refuses, and the agent still has the number. A refusal because the link is gone
        or another agent has the number counts as success, whatever its status.
    """
    call = endpoints.unlink(number_id, mode, agent_id)
    return (yield from send_unlink(call, number_id, seen, looked))


def send_unlink(
    call: Call[PhoneNumber | None],
    number_id: str,
    seen: SeenAgent = NOT_LOOKED,
    looked: Callable[[str | None], None] = lambda _: None,
) -> Flow[PhoneNumber]:
    """Do what :func:`unlink` does with a call that the endpoint has made."""
    mode, agent_id = call.params["mode"], call.params.get("agentId")
    if not call.repeatable:
        known = agent_id if seen is NOT_LOOKED and agent_id is not None else seen
        call = replace(call, look=partial(_before_unlinking_again, number_id, known, looked))
    try:
        number = yield call
    except (NotFoundError, RejectedError, ConflictError) as refusal:
        # The status where there is no such link is not documented: look whether it is gone.
        number = yield from patiently(endpoints.get_number(number_id))
        if (yield from _is_linked(number, mode, agent_id, refusal)):
            raise
    return (yield from _read_if_untold(number, number_id))


def _is_linked(number: PhoneNumber, mode: str, agent_id: str | None, refusal: VendorError) -> Flow[bool]:
    if mode == "inbound":
        now = number.incoming_calls_agent_id
        return now is not None and agent_id in (None, now)
    affected: AffectedAgents = yield from patiently(endpoints.affected_agents(number.id))
    # A use that is unknown here may be the link, unless the vendor says that there is none.
    unsure = frozenset() if isinstance(refusal, NotFoundError) else affected.maybe_outbound
    return agent_id in affected.outbound | unsure


def _read_if_untold(number: PhoneNumber | None, number_id: str) -> Flow[PhoneNumber]:
    if number is None:
        number = yield from patiently(endpoints.get_number(number_id))  # a new one may not show yet
    return number


def _before_unlinking_again(
    number_id: str, seen: SeenAgent, looked: Callable[[str | None], None]
) -> Flow[AlreadyDone[PhoneNumber] | None]:
    number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    now = number.incoming_calls_agent_id
    if now is None:
        looked(None)
        return AlreadyDone(number)
    if now == seen:
        return None
    if seen is NOT_LOOKED:
        raise ChangedMeanwhileError(
            f"Number {number.label} was not unlinked: the outcome of the first try is unknown, and {agent_label(now)} "
            f"has the number now, perhaps linked in the meantime. It was left with {agent_label(now)}. Run the task "
            "again to unlink it."
        )
    return AlreadyDone(number)
