"""Create: afterwards exactly one number with this (phone number, credentials) pair exists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    NotTakenEffectError,
    PromiseError,
    RejectedError,
)
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.api.text import clean, shown
from airflow_provider_phonelink.decisions.registration import registers
from airflow_provider_phonelink.promises.outcomes import Outcome, plain

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

IfExists: TypeAlias = Literal["adopt", "update", "fail"]
IF_EXISTS = ("adopt", "update", "fail")
IfOtherNotation: TypeAlias = Literal["warn", "fail"]
IF_OTHER_NOTATION = ("warn", "fail")


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
    if_other_notation: str = "warn",
) -> Flow[Created]:
    """
    Make sure that the number exists.

    :param display_name: None keeps what an existing number has; a new one gets the vendor's default.
    :param description: None, likewise.
    :param registration: None, likewise; the vendor's default is off.
    :param if_exists: ``adopt`` takes an existing number with this pair as it is, ``update`` gives it the settings
        named here and keeps the others, ``fail`` refuses it.
    :param if_other_notation: What to do if the same number exists with these credentials, written in another way:
        ``warn`` creates this one, too, unless the vendor takes both for the same, and looks only for a number that is
        written in E.164; ``fail`` refuses, and reads all numbers for it.
    :raises AlreadyExistsError: If the number exists and may not be adopted as it is.
    :raises NotTakenEffectError: If the vendor accepted the number or its settings, but they do not show afterwards.
    """
    if_exists = arguments.choice("if_exists", if_exists, IF_EXISTS)
    arguments.choice("if_other_notation", if_other_notation, IF_OTHER_NOTATION)
    wish = _wish(display_name=display_name, description=description, registration=registration)
    phone_number = arguments.new_phone_number("phone_number", phone_number)
    credentials_id = arguments.uuid("credentials_id", credentials_id)
    existing = yield from reads.find_number(phone_number, credentials_id)
    if existing is not None:
        return (yield from adopt(existing, wish, if_exists))
    refuses = if_other_notation == "fail"
    other = yield from reads.find_in_another_notation(phone_number, credentials_id, thorough=refuses)
    if other and refuses:
        raise AlreadyExistsError(
            f"{clean(phone_number)} was not created: number {other.label} is the same one in another notation, with "
            "the same credentials, and if_other_notation='fail'. Nothing was changed."
        )
    try:
        number, adopted = yield from writes.create_number(phone_number, credentials_id, **wish)
    except (RejectedError, ConflictError) as error:
        # The status for a duplicate is not documented: look whether the number is there, however it is written.
        existing = yield from writes.found_after(error, phone_number, credentials_id)
        if existing is None:
            raise
        created = yield from adopt(existing, wish, if_exists)
    else:
        created = yield from _prove_or_adopt(number, adopted, wish, if_exists)
    return replace(created, warnings=(*created.warnings, *_notations(phone_number, created.number, other)))


def _notations(phone_number: str, number: PhoneNumber, other: PhoneNumber | None) -> list[str]:
    """Warn of notations: people and SIP providers may take them for different numbers."""
    if number.phone_number != phone_number:
        return [
            f"{clean(phone_number)} is stored by the vendor as {clean(number.phone_number)} (id {clean(number.id)}). "
            "Write it like that from now on."
        ]
    if other is not None:
        return [
            f"Number {number.label} exists beside number {other.label}, which is the same one in another notation, "
            "with the same credentials. Delete the one that is not used."
        ]
    return []


def _prove_or_adopt(
    number: PhoneNumber, adopted: bool, wish: dict[str, Any], if_exists: str
) -> Flow[Created]:
    """Verify the created number; if the look before a repeat found one, decide whether it may be adopted."""
    if not adopted:
        return (yield from _prove(number, wish))
    if differing_settings(number, wish):
        return (yield from adopt(number, wish, if_exists))
    return Created(
        summary=f"Number {number.label} was created by an earlier try whose answer was lost.",
        number=number,
        adopted=True,
    )


def _prove(created: PhoneNumber, wish: dict[str, Any]) -> Flow[Created]:
    try:
        number: PhoneNumber = yield from patiently(endpoints.get_number(created.id))
    except NotFoundError:
        raise NotTakenEffectError(
            f"Number {created.label} was created, but the vendor still does not know it ten seconds later."
        ) from None
    return Created(
        summary=f"Number {number.label} was created.",
        number=number,
        adopted=False,
        warnings=demand_settings(number, wish),
    )


def demand_settings(number: PhoneNumber, wish: dict[str, Any]) -> tuple[str, ...]:
    """
    Make sure that a number has the settings that it was created with.

    :return: Warnings of texts in which it differs.
    :raises NotTakenEffectError: If it does not register, or does although it is not to.
    """
    differing = differing_settings(number, wish)
    if "registration" in differing:
        raise NotTakenEffectError(
            f"Number {number.label} was created, but right afterwards has registration={registers(number)} instead of "
            f"{wish['registration']}."
        )
    return tuple(f"{difference}." for difference in _differences(number, differing))


def _wish(*, registration: object, **texts: str | None) -> dict[str, Any]:
    """Return the settings that the task names, checked. The others are kept, or left to the vendor's defaults."""
    wish: dict[str, Any] = {
        name: arguments.optional_text(name, text) for name, text in texts.items() if text is not None
    }
    if registration is not None:
        wish["registration"] = arguments.boolean("registration", registration)
    return wish


def differing_settings(number: PhoneNumber, wish: dict[str, Any]) -> dict[str, Any]:
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


def adopt(number: PhoneNumber, wish: dict[str, Any], if_exists: str) -> Flow[Created]:
    """
    Take an existing number as ``if_exists`` says; see :func:`create_number`.

    :param wish: The settings that the task names, checked.
    """
    differing = differing_settings(number, wish)
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
    unread = number.unreadable
    if number.registration is None and not number.registration_status.state:
        unread |= {"registration"}  # nothing in the answer says it
    if lost := " and ".join(sorted(unread & configuration.keys() - wish.keys())):
        raise PromiseError(
            f"Number {number.label} was not updated: its {lost} cannot be read, and the vendor would reset what the "
            f"update leaves out. Nothing was changed. Give the task {lost}, too, or change the number at the vendor."
        )
    yield from writes.update_number(number.id, number.phone_number, number.credentials_id, **configuration)
    updated: PhoneNumber = yield endpoints.get_number(number.id)
    if differing := differing_settings(updated, wish):
        raise NotTakenEffectError(
            f"Number {number.label} was updated, but right afterwards has {_joined(differing)} as before."
        )
    return updated


def _joined(names: dict[str, Any]) -> str:
    return " and ".join(names)
