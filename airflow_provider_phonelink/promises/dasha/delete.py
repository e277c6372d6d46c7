"""Delete: afterwards the number is gone, and off its provider's trunk where there is an endpoint for that."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.dasha import deletes
from airflow_provider_phonelink.api.errors import NotTakenEffectError
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.promises.outcomes import Outcome

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


def delete_seen(number: PhoneNumber) -> Flow[Outcome]:
    """
    Make sure that a number, which was just read, is gone.

    :raises ConflictError: If agents use it.
    :raises NotTakenEffectError: If the vendor accepted the delete and still shows the number ten seconds later.
    """
    left_on = yield from deletes.delete_seen_number(number)
    yield from _prove_gone(number)
    warnings = (
        (
            f"Number {number.label} was deleted by the plain endpoint, because there is none for provider "
            f"{clean(left_on)}. The provider's trunk may still lead to it: look there.",
        )
        if left_on
        else ()
    )
    return Outcome(summary=f"Number {number.label} was deleted.", warnings=warnings)


def _prove_gone(number: PhoneNumber) -> Flow[None]:
    is_there = yield from patience.until(operator.not_, lambda: deletes.is_there(number.id))
    if is_there:
        raise NotTakenEffectError(
            f"Number {number.label} was deleted, but the vendor still shows it ten seconds later."
        )
