"""Delete: afterwards the number is gone, and off its provider's trunk where there is an endpoint for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments, patience
from airflow_provider_phonelink.api.calls import Pause
from airflow_provider_phonelink.api.dasha import deletes, endpoints
from airflow_provider_phonelink.api.errors import NotFoundError, NotTakenEffectError
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.promises.outcomes import Outcome

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


@dataclass(frozen=True, kw_only=True)
class Deleted(Outcome):
    """A number that is gone."""

    number_id: str
    #: The number at the last look before it was deleted; None if it was gone already.
    number: PhoneNumber | None

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {
            "id": self.number_id,
            "phone_number": clean(self.number.phone_number) if self.number else None,
            "deleted": self.number is not None,
        }


def delete_number(number_id: str, *, force: bool = False) -> Flow[Deleted]:
    """
    Make sure that a number is gone.

    One that is gone already is left at that: a task that runs again finds what its earlier try deleted.

    :param force: Also unlink the agents that use it.
    :raises ConflictError: If agents use it and ``force`` is off.
    :raises NotTakenEffectError: If the vendor accepted the delete and still shows the number ten seconds later.
    """
    number_id = arguments.uuid("phone_number_id", number_id)  # as the operators call it
    force = arguments.boolean("force", force)
    try:
        number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    except NotFoundError:
        summary = f"Number {number_id} is gone already. Nothing was deleted."
        return Deleted(summary=summary, number_id=number_id, number=None)
    return (yield from delete_seen(number, force=force))


def delete_seen(number: PhoneNumber, *, force: bool = False) -> Flow[Deleted]:
    """Make sure that a number, which was just read, is gone; see :func:`delete_number`."""
    left_on = yield from deletes.delete_seen_number(number, force=force)
    yield from _prove_gone(number)
    warnings = (
        (
            f"Number {number.label} was deleted by the plain endpoint, because there is none for provider "
            f"{clean(left_on)}. The provider's trunk may still lead to it: look there.",
        )
        if left_on
        else ()
    )
    summary = f"Number {number.label} was deleted."
    return Deleted(summary=summary, warnings=warnings, number_id=number.id, number=number)


def _prove_gone(number: PhoneNumber) -> Flow[None]:
    for pause in (*patience.PAUSES, None):
        try:
            yield endpoints.get_number(number.id)
        except NotFoundError:
            return
        if pause is not None:
            yield Pause(pause)
    raise NotTakenEffectError(
        f"Number {number.label} was deleted, but the vendor still shows it ten seconds later."
    )
