"""Create: afterwards exactly one number with this (phone number, credentials) pair exists."""

from __future__ import annotations

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
from airflow_provider_phonelink.promises.outcomes import Created

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

IfExists: TypeAlias = Literal["adopt", "update", "fail"]
IF_EXISTS = ("adopt", "update", "fail")


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

    :param display_name: None leaves it to the vendor's default, or as it is.
    :param description: None leaves it to the vendor's default, or as it is.
    :param registration: None leaves it to the vendor's default (off), or as it is.
    :param if_exists: ``adopt`` takes a number with this pair as it is, ``update`` gives it the configuration
        named here and keeps the rest, ``fail`` refuses it.
    :raises AlreadyExistsError: If the number exists and may not be adopted as it is.
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
            # Which status a duplicate gets is not documented: see whether somebody was faster.
            existing = yield from reads.find_number(phone_number, credentials_id)
            if existing is None:
                raise
        else:
            return (yield from _prove_or_adopt(number, adopted, wish, if_exists))
    return (yield from _adopt(existing, wish, if_exists))


def _prove_or_adopt(
    number: PhoneNumber, adopted: bool, wish: dict[str, Any], if_exists: str
) -> Flow[Created]:
    """Prove what was created, or judge what the look before a repeat found: ours, or somebody else's."""
    if not adopted:
        return (yield from _prove(number, wish))
    if _differing(number, wish):
        return (yield from _adopt(number, wish, if_exists))
    return Created(
        summary=f"Number {number.label} was made by an earlier try whose answer was lost.",
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
    """Return what the task names, checked; what it does not name is kept or left to the vendor."""
    wish: dict[str, Any] = {
        name: arguments.optional_text(name, text) for name, text in texts.items() if text is not None
    }
    if registration is not None:
        wish["registration"] = arguments.boolean("registration", registration)
    return wish


def _differing(number: PhoneNumber, wish: dict[str, Any]) -> dict[str, Any]:
    """Return what the task names and the number has otherwise."""
    has = _configuration(number)
    # Whether the vendor tells an empty text from none is not documented.
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
            f"Number {number.label} exists already with credentials {number.credentials_id} and if_exists='fail' was "
            "asked for. It was left as it is."
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
            f"Number {number.label} exists already, but with registration={registers(number)} instead of "
            f"{wish['registration']}. It was left as it is. Use if_exists='update' to change it."
        )
    return Created(
        summary=f"Number {number.label} exists already and was adopted.",
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
    """Write the whole configuration, for the vendor resets what a PUT leaves out, and prove it."""
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
