"""Wait: look at the registrations of numbers and assess them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import Setting
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.decisions.registration import Assessment, RegistrationRules, assess, extra_of
from airflow_provider_phonelink.promises.dasha.naming import Named, numbers_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.registration import Judgement


def look_at_registrations(
    names: Sequence[str], rules: RegistrationRules, *, credentials_id: str | None = None
) -> Flow[Assessment]:
    """
    Look once at the registrations of numbers, with as few requests as possible.

    :param names: Ids, or phone numbers, which the assessment has the ids of.
    :param credentials_id: The SIP credentials of numbers that are named by phone number.
    :raises NotNamedError: If a phone number belongs to no number, or to several.
    """
    named = yield from numbers_named(names, "phone_number_ids", credentials_id=credentials_id)
    ids = dict.fromkeys(named.ids.values())
    reading = yield from reads.read_numbers(number_id for number_id in ids if number_id not in named.read)
    for number_id, error in reading.errors.items():
        if number_id not in reading.refused:
            raise error
    known = {**named.read, **reading.numbers}
    numbers = {number_id: known[number_id] for number_id in ids if number_id not in reading.refused}
    return assess(numbers, rules, datetime.now(timezone.utc), reading.refused)


def look_by_the_connections_rules(names: Sequence[str]) -> Flow[Assessment]:
    """Do what :func:`look_at_registrations` does, by what the connection says of states."""
    return (yield from look_at_registrations(names, (yield from connections_rules())))


def judgements(numbers: Sequence[PhoneNumber | str | UUID]) -> Flow[dict[str, Judgement]]:
    """
    Judge the registrations of some numbers by the connection's rules.

    :param numbers: Ids or phone numbers, which are read, or numbers as they were read.
    :return: By the number's id, in the order of ``numbers``.
    """
    # A DAG file with a sensor imports this module, and has no use for pydantic.
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

    rules = yield from connections_rules()
    given = [
        number if isinstance(number, PhoneNumber) else arguments.number_name("numbers", number, uuids=True)
        for number in numbers
    ]
    named = [number for number in given if isinstance(number, str)]
    ids, read = (yield from numbers_named(named, "numbers")) if named else Named({}, {})
    known = {**read, **{number.id: number for number in given if isinstance(number, PhoneNumber)}}
    wanted = [ids[number] if isinstance(number, str) else number.id for number in given]
    at_hand = {number_id: known[number_id] for number_id in wanted if number_id in known}
    look = assess(at_hand, rules, datetime.now(timezone.utc)).judgements
    if unread := [number_id for number_id in wanted if number_id not in known]:
        look += (yield from look_at_registrations(unread, rules)).judgements
    found = {judgement.number_id: judgement for judgement in look}
    return {number_id: found[number_id] for number_id in wanted}


def connections_rules() -> Flow[RegistrationRules]:
    """Return what the connection says of states."""
    source = yield Setting("source")
    return RegistrationRules(
        (yield Setting("active_states")),
        (yield Setting("failed_states")),
        (yield Setting("check_expiry")),
        extra_of("active_states", source),
        extra_of("failed_states", source),
    )
