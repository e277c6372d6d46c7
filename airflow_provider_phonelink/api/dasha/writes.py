"""
Flows that write to Dasha BlackBox and are safe to repeat.

A write whose outcome is unknown (lost answer, 5xx, 429) is repeated only after a look at the current state.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import AlreadyDone, Call, Flow
from airflow_provider_phonelink.api.dasha import endpoints, reads
from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, ConflictError, NotFoundError
from airflow_provider_phonelink.api.labels import agent_label

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from airflow_provider_phonelink.api.dasha.endpoints import Configuration
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


class _NotLooked:
    """Marks an inbound link that was not read before the write."""


NOT_LOOKED = _NotLooked()
SeenAgent = str | None | _NotLooked


def create_number(
    phone_number: str, credentials_id: str, **configuration: Any
) -> Flow[tuple[PhoneNumber, bool]]:
    """
    Create a number, once.

    :return: The number, and whether the look before a repeat found it: either an earlier try created it and its
        answer was lost, or somebody else created it first.
    """
    return (yield from send_creation(endpoints.create_number(phone_number, credentials_id, **configuration)))


def send_creation(call: Call[Any]) -> Flow[tuple[PhoneNumber, bool]]:
    """Do what :func:`create_number` does with a call that the endpoint has made."""

    def look() -> Flow[AlreadyDone[tuple[PhoneNumber, bool]] | None]:
        number = yield from reads.find_number(*pair_of(call))
        return AlreadyDone((number, True)) if number else None

    created: tuple[PhoneNumber, bool] = yield replace(
        call, read=lambda body: (call.read(body), False), look=look
    )
    return created


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
    number_id: str, agent_id: str, mode: str = "inbound", *, seen: SeenAgent = NOT_LOOKED
) -> Flow[PhoneNumber]:
    """
    Link a number to an agent.

    :param seen: The inbound agent at the last look. A repeat takes the number from that agent only.
    :raises ChangedMeanwhileError: If a repeat would take the number from another agent.
    """
    return (yield from send_link(endpoints.link(number_id, agent_id, mode), number_id, agent_id, seen))


def send_link(
    call: Call[PhoneNumber | None], number_id: str, agent_id: str, seen: SeenAgent = NOT_LOOKED
) -> Flow[PhoneNumber]:
    """Do what :func:`link` does with a call that the endpoint has made."""
    if not call.repeatable:
        call = replace(call, look=partial(_before_linking_again, number_id, agent_id, seen))
    number = yield call
    return (yield from _read_if_untold(number, number_id))


def unlink(
    number_id: str, mode: str = "inbound", agent_id: str | None = None, *, seen: SeenAgent = NOT_LOOKED
) -> Flow[PhoneNumber]:
    """
    Unlink a number.

    :param seen: The inbound agent at the last look; ``agent_id`` if there was no look. A repeat takes the
        number from that agent only.
    :raises ChangedMeanwhileError: If it is not known from which agent a repeat would take the number.
    :raises NotFoundError: If there is no such number, or if the vendor answers 404 although the inbound link still
        exists. A 404 because the link is gone, or a 409 because another agent has the number, counts as success.
    """
    call = endpoints.unlink(number_id, mode, agent_id)
    return (yield from send_unlink(call, number_id, mode, agent_id, seen))


def send_unlink(
    call: Call[PhoneNumber | None],
    number_id: str,
    mode: str,
    agent_id: str | None,
    seen: SeenAgent = NOT_LOOKED,
) -> Flow[PhoneNumber]:
    """Do what :func:`unlink` does with a call that the endpoint has made."""
    if not call.repeatable:
        known = agent_id if seen is NOT_LOOKED and agent_id is not None else seen
        call = replace(call, look=partial(_before_unlinking_again, number_id, known))
    try:
        number = yield call
    except (NotFoundError, ConflictError):
        # Either there is no such number, or the link is gone: reading the number shows which.
        number = yield endpoints.get_number(number_id)
        now = number.incoming_calls_agent_id
        if mode == "inbound" and now is not None and agent_id in (None, now):
            raise
    return (yield from _read_if_untold(number, number_id))


def _read_if_untold(number: PhoneNumber | None, number_id: str) -> Flow[PhoneNumber]:
    if number is None:
        number = yield endpoints.get_number(number_id)
    return number


def _before_linking_again(
    number_id: str, agent_id: str, seen: SeenAgent
) -> Flow[AlreadyDone[PhoneNumber] | None]:
    number: PhoneNumber = yield endpoints.get_number(number_id)
    now = number.incoming_calls_agent_id
    if now == agent_id:
        return AlreadyDone(number)
    if now is None or now == seen:
        return None
    raise ChangedMeanwhileError(
        f"Number {number.label} was not linked to {agent_label(agent_id)}: the outcome of the first try is unknown, "
        f"and {agent_label(now)} has the number now, perhaps linked in the meantime. It was left with "
        f"{agent_label(now)}. Run the task again to take it over."
    )


def _before_unlinking_again(number_id: str, seen: SeenAgent) -> Flow[AlreadyDone[PhoneNumber] | None]:
    number: PhoneNumber = yield endpoints.get_number(arguments.uuid("number_id", number_id))
    now = number.incoming_calls_agent_id
    if now is None:
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
