"""
Delete a number of Dasha BlackBox, once, and off the trunk of its provider.

A number that a provider manages (``providerId``) is deleted by the provider's own endpoint, which takes it off the
trunk. Only Twilio has a documented one. What the plain delete does with such a number is not documented.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import AlreadyDone
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.errors import (
    AccessDeniedError,
    NotFoundError,
    RejectedError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber, Provider

TWILIO = "twilio"


def delete_number(number_id: str, *, force: bool = False) -> Flow[None]:
    """
    Delete a number, by its provider's endpoint if it has one.

    :raises NotFoundError: If there is no such number, unless a try of this call whose answer was lost deleted it.
    :raises ConflictError: If agents use it and ``force`` is off.
    """
    plain = endpoints.delete_number(number_id, force=force)
    try:
        number: PhoneNumber = yield endpoints.get_number(number_id)
    except NotFoundError:
        # Reads may not know a new number yet; the delete itself does.
        yield from _once(plain, number_id, seen=False)
    else:
        yield from delete_seen_number(number, force=force)


def delete_seen_number(number: PhoneNumber, *, force: bool = False) -> Flow[str | None]:
    """
    Delete a number that was just read; see :func:`delete_number`.

    :return: The id of the provider on whose trunk the number may still be, because there is no endpoint that takes it
        off; None if it is on none.
    """
    if number.provider_id and (yield from _deleted_at_twilio(number, number.provider_id, force=force)):
        return None
    yield from _once(endpoints.delete_number(number.id, force=force), number.id)
    return number.provider_id


def _deleted_at_twilio(number: PhoneNumber, provider_id: str, *, force: bool) -> Flow[bool]:
    """Delete a number by Twilio's endpoint; return False, with nothing deleted, if it does not serve this number."""
    kind = yield from _kind(provider_id)
    if kind not in (TWILIO, None):
        return False
    try:
        yield from _once(endpoints.delete_twilio_number(provider_id, number.id, force=force), number.id)
    except (NotFoundError, RejectedError) as refusal:
        # 400 and 422 are Twilio's own word on the number, unless the provider may be another one.
        if kind == TWILIO and refusal.status not in (404, 405):
            raise
        if not (yield from is_there(number.id)):
            raise
        return False
    return True


def _kind(provider_id: str) -> Flow[str | None]:
    try:
        provider: Provider = yield endpoints.get_provider(provider_id)
    except (AccessDeniedError, NotFoundError, RejectedError, UnreadableAnswerError):
        return None
    return provider.kind


def _once(call: Call[None], number_id: str, *, seen: bool = True) -> Flow[None]:
    """
    Carry out a delete; if its outcome is unknown, only until the number is gone.

    :param seen: Whether reads knew the number before: only then does a 404 mean that it is gone.
    """
    repeated = False

    def look() -> Flow[AlreadyDone[None] | None]:
        nonlocal repeated
        repeated = True
        there = not seen or (yield from is_there(number_id))
        return None if there else AlreadyDone(None)

    try:
        yield replace(call, look=look)
    except NotFoundError:
        # After a repeat it was the first try, whose answer was lost, that deleted it.
        if not repeated or (yield from is_there(number_id)):
            raise


def is_there(number_id: str) -> Flow[bool]:
    """Return whether there is a number with this id."""
    try:
        yield endpoints.get_number(number_id)
    except NotFoundError:
        return False
    return True
