"""Create: afterwards exactly one number with this (phone number, credentials) pair exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    NotTakenEffectError,
    RejectedError,
)
from airflow_provider_phonelink.api.text import shown
from airflow_provider_phonelink.decisions.registration import registers
from airflow_provider_phonelink.promises.outcomes import Outcome, plain

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

IfExists: TypeAlias = Literal["adopt", "update", "fail"]
IF_EXISTS = ("adopt", "update", "fail")


@dataclass(frozen=True, kw_only=True)
class Created(Outcome):
    """The one number with this pair."""

    number: PhoneNumber
    #: Whether it was there before the task, or an earlier try created it.
    adopted: bool

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {**plain(self.number), "adopted": self.adopted}


def create_number(
    phone_number: str,
    credentials_id: str,
    *,
    display_name: str | None = None,
    description: str | None = None,
    registration: bool | str | None = None,
    if_exists: str = "adopt",
) -> Flow[Created]:
    """
    Make sure that the number exists.

    :param display_name: None keeps what an existing number has; a new one gets the vendor's default.
    :param description: None, likewise.
    :param registration: None, likewise; the vendor's default is off.
    :param if_exists: ``adopt`` takes an existing number with this pair as it is, ``update`` gives it the settings
        named here and keeps the others, ``fail`` refuses it.
    :raises AlreadyExistsError: If the number exists and may not be adopted as it is.
    :raises NotTakenEffectError: If the vendor accepted the number or its settings, but they do not show afterwards.
    """
    if_exists = arguments.choice("if_exists", if_exists, IF_EXISTS)
    wish = _wish(display_name=display_name, description=description, registration=registration)
    phone_number = arguments.phone_number("phone_number", phone_number)
    credentials_id = arguments.uuid("credentials_id", credentials_id)
    existing = yield from reads.find_number(phone_number, credentials_id)
    if existing is None:
        try:
            number, adopted = yield from writes.create_number(phone_number, credentials_id, **wish)
        except (RejectedError, ConflictError):
            # The vendor does not document the status for a duplicate: look whether somebody else created it first.
            existing = yield from reads.find_number(phone_number, credentials_id)
            if existing is None:
                raise
        else:
            return (yield from _prove_or_adopt(number, adopted, wish, if_exists))
    return (yield from _adopt(existing, wish, if_exists))


def _prove_or_adopt(
    number: PhoneNumber, adopted: bool, wish: dict[str, Any], if_exists: str
) -> Flow[Created]:
    """Verify the created number; if the look before a repeat found one, decide whether it may be adopted."""
    if not adopted:
        return (yield from _prove(number, wish))
    if _differing(number, wish):
        return (yield from _adopt(number, wish, if_exists))
    return Created(
        summary=f"Number {number.label} was created by an earlier try whose answer was lost.",
        number=number,
        adopted=True,
    )


def _prove(created: PhoneNumber, wish: dict[str, Any]) -> Flow[Created]:
    try:
        number: PhoneNumber = yield endpoints.get_number(created.id)
    except NotFoundError:
        raise NotTakenEffectError(
            f"Number {created.label} was created, but right afterwards the vendor does not know it."
        ) from None
    differing = _differing(number, wish)
    if "registration" in differing:
        raise NotTakenEffectError(
            f"Number {number.label} was created, but right afterwards has registration={registers(number)} instead of "
            f"{wish['registration']}."
        )
    return Created(
        summary=f"Number {number.label} was created.",
        number=number,
        adopted=False,
        warnings=tuple(f"{difference}." for difference in _differences(number, differing)),
    )


def _wish(*, registration: object, **texts: str | None) -> dict[str, Any]:
    """Return the settings that the task names, checked. The others are kept, or left to the vendor's defaults."""
    wish: dict[str, Any] = {
        name: arguments.optional_text(name, text) for name, text in texts.items() if text is not None
    }
    if registration is not None:
        wish["registration"] = arguments.boolean("registration", registration)
    return wish


def _differing(number: PhoneNumber, wish: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that the task names and in which the number differs."""
    has = _configuration(number)
    # Whether the vendor distinguishes empty text from no text is not documented.
    return {name: value for name, value in wish.items() if (has[name] or None) != (value or None)}


def _configuration(number: PhoneNumber) -> dict[str, Any]:
    return {
        "display_name": number.display_name,
        "description": number.description,
        "registration": registers(number),
    }


def _adopt(number: PhoneNumber, wish: dict[str, Any], if_exists: str) -> Flow[Created]:
    differing = _differing(number, wish)
    if if_exists == "fail":
        raise AlreadyExistsError(
            f"Number {number.label} already exists with credentials {number.credentials_id}, and if_exists='fail'. It "
            "was left as it is."
        )
    if differing and if_exists == "update":
        number = yield from _update(number, wish)
        return Created(
            summary=f"Number {number.label} existed; {_joined(differing)} updated.",
            number=number,
            adopted=True,
        )
    if "registration" in differing:
        raise AlreadyExistsError(
            f"Number {number.label} already exists, but with registration={registers(number)} instead of "
            f"{wish['registration']}. It was left as it is. Use if_exists='update' to change it."
        )
    return Created(
        summary=f"Number {number.label} already exists and was adopted.",
        number=number,
        adopted=True,
        warnings=tuple(
            f"{difference}; use if_exists='update' to change it."
            for difference in _differences(number, differing)
        ),
    )


def _differences(number: PhoneNumber, differing: dict[str, Any]) -> list[str]:
    has = _configuration(number)
    return [
        f"Number {number.label} has {name}={shown(has[name])} instead of {shown(value)}"
        for name, value in differing.items()
    ]


def _update(number: PhoneNumber, wish: dict[str, Any]) -> Flow[PhoneNumber]:
    """Write all settings, because the vendor resets those that a PUT leaves out, and verify them."""
    configuration = {**_configuration(number), **wish}
    yield from writes.update_number(number.id, number.phone_number, number.credentials_id, **configuration)
    updated: PhoneNumber = yield endpoints.get_number(number.id)
    if differing := _differing(updated, wish):
        raise NotTakenEffectError(
            f"Number {number.label} was updated, but right afterwards has {_joined(differing)} as before."
        )
    return updated


def _joined(names: dict[str, Any]) -> str:
    return " and ".join(names)
