"""Wait: look at the registrations of numbers and assess them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import Setting
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.decisions.registration import Assessment, RegistrationRules, assess, extra_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.registration import Judgement


def look_at_registrations(number_ids: Sequence[str], rules: RegistrationRules) -> Flow[Assessment]:
    """
    Look once at the registrations of numbers, with as few requests as possible.

    :param number_ids: Ids in canonical form.
    """
    reading = yield from reads.read_numbers(number_ids)
    for number_id, error in reading.errors.items():
        if number_id not in reading.refused:
            raise error
    return assess(reading.numbers, rules, datetime.now(timezone.utc), reading.refused)


def look_by_the_connections_rules(number_ids: Sequence[str]) -> Flow[Assessment]:
    """Do what :func:`look_at_registrations` does, by what the connection says of states."""
    return (yield from look_at_registrations(number_ids, (yield from _connections_rules())))


def judgements(numbers: Sequence[PhoneNumber | str]) -> Flow[dict[str, Judgement]]:
    """
    Judge the registrations of some numbers by the connection's rules.

    :param numbers: Ids, which are read, or numbers as they were read.
    :return: By the number's id, in the order of ``numbers``.
    """
    rules = yield from _connections_rules()
    known = {number.id.lower(): number for number in numbers if not isinstance(number, str)}
    ids = [(number if isinstance(number, str) else number.id).lower() for number in numbers]
    look = assess(known, rules, datetime.now(timezone.utc)).judgements
    if unread := [number_id for number_id in ids if number_id not in known]:
        look += (yield from look_at_registrations(arguments.uuids("numbers", unread), rules)).judgements
    found = {judgement.number_id: judgement for judgement in look}
    return {number_id: found[number_id] for number_id in ids}


def _connections_rules() -> Flow[RegistrationRules]:
    source = yield Setting("source")
    return RegistrationRules(
        (yield Setting("active_states")),
        (yield Setting("failed_states")),
        (yield Setting("check_expiry")),
        extra_of("active_states", source),
        extra_of("failed_states", source),
    )
