"""Wait: look at the registrations of some numbers and judge them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.decisions.registration import Assessment, RegistrationRules, assess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings


def look_at_registrations(number_ids: Sequence[str], rules: RegistrationRules) -> Flow[Assessment]:
    """
    Look once at the registrations of some numbers, with as few requests as possible.

    :param number_ids: Ids in canonical form.
    """
    reading = yield from reads.read_numbers(number_ids)
    for error in reading.errors.values():
        raise error
    return assess(reading.numbers, rules, datetime.now(timezone.utc))


def rules_of(
    settings: DashaSettings, active_states: Sequence[str] | None, failed_states: Sequence[str] | None
) -> RegistrationRules:
    """Return the rules of a wait: what it names itself, and the connection's for the rest."""
    return RegistrationRules(
        settings.active_states if active_states is None else arguments.names("active_states", active_states),
        settings.failed_states if failed_states is None else arguments.names("failed_states", failed_states),
        settings.check_expiry,
    )
