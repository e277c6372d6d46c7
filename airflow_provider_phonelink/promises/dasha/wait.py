"""Wait: look at the registrations of numbers and assess them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Setting
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.decisions.registration import Assessment, RegistrationRules, assess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.calls import Flow


def look_at_registrations(number_ids: Sequence[str], rules: RegistrationRules) -> Flow[Assessment]:
    """
    Look once at the registrations of numbers, with as few requests as possible.

    :param number_ids: Ids in canonical form.
    """
    reading = yield from reads.read_numbers(number_ids)
    for error in reading.errors.values():
        raise error
    return assess(reading.numbers, rules, datetime.now(timezone.utc))


def look_by_the_connections_rules(number_ids: Sequence[str]) -> Flow[Assessment]:
    """Do what :func:`look_at_registrations` does, by what the connection says of states."""
    rules = RegistrationRules(
        (yield Setting("active_states")), (yield Setting("failed_states")), (yield Setting("check_expiry"))
    )
    return (yield from look_at_registrations(number_ids, rules))
