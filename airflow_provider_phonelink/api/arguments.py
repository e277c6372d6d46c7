"""
Check arguments before a request leaves.

Each function takes the argument's name and value and returns the value to send, or raises
:class:`~airflow_provider_phonelink.api.errors.InvalidArgumentError`. Templates render to text, so
``"True"``, ``"7"`` and the ``"None"`` of an XCom that was not there are met here too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from airflow_provider_phonelink.api import spreadsheets
from airflow_provider_phonelink.api.e164 import e164, is_dialable, is_sip_user
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import as_text, has_invisible, has_unsafe, shown, trimmed
from airflow_provider_phonelink.api.uuids import is_uuid, plain_id

MAX_TEXT_LENGTH = 255
#: The longest time span in seconds, 100 years: a longer one, as some write for "never", counts as this one.
LONGEST = 100 * 365 * 86_400.0
#: The latest point in time in seconds since 1970, the beginning of the year 3000.
LATEST = 32_503_680_000.0
#: What a missing XCom or variable renders to in a template.
_RENDERED_NOTHING = frozenset({"none", "null", "undefined"})
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


_KEEP_AS_TEXT = "Keep phone numbers as text where it comes from."


def present(argument: str, value: object) -> str:
    """Return a text that is not empty and did not come of an XCom or variable that gave nothing."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _RENDERED_NOTHING):
        raise InvalidArgumentError(argument, _gave_nothing(value))
    if not isinstance(value, str):
        raise InvalidArgumentError(
            argument, f"{shown(value)} is {type(value).__name__}, not text.{made_by_rendering(value)}"
        )
    if not value.strip():
        raise InvalidArgumentError(argument, "is empty.")
    return value


def id_as_text(argument: str, value: object) -> str:
    """Return an id, or a name in whose place one may be, as a text that is not empty."""
    return str(value) if isinstance(value, UUID) else present(argument, value)


def uuid(argument: str, value: object) -> str:
    """Return a uuid in its canonical lower-case form."""
    text = id_as_text(argument, value)
    if not is_uuid(text):
        raise InvalidArgumentError(argument, f"{shown(value)} is not a uuid.")
    return text.lower()


def uuids(argument: str, value: object) -> list[str]:
    """Return one or several uuids, each once. A single one may be given without a list."""
    values = [value] if isinstance(value, (str, UUID)) or value is None else value
    items = items_of(values)
    if items is None:
        raise InvalidArgumentError(
            argument, f"{shown(value)} is neither an id nor a list of ids.{made_by_rendering(value)}"
        )
    ids = [uuid(argument, item) for item in items]
    if not ids:
        raise InvalidArgumentError(argument, "is an empty list.")
    return list(dict.fromkeys(ids))


def number_name(argument: str, value: object, *, uuids: bool) -> str:
    """
    Return what names a number: its id, or a phone number in any notation.

    :param uuids: Whether the ids of numbers are uuids; otherwise their form is up to the vendor.
    """
    if isinstance(value, UUID) or (isinstance(value, str) and is_uuid(value)):
        return str(value).lower()
    text = phone_number(argument, value)
    if is_dialable(text):
        return text
    if uuids:
        raise InvalidArgumentError(
            argument, f"{shown(value)} is neither the id of a number, a uuid, nor a phone number."
        )
    return opaque_id(argument, text)


def number_names(argument: str, value: object, *, uuids: bool) -> list[str]:
    """Return what names one or several numbers, each once. A single one may be given without a list."""
    values = [value] if isinstance(value, (str, UUID)) or value is None else value
    items = None if isinstance(values, Mapping) else items_of(values)  # its keys would be taken for names
    if items is None:
        raise InvalidArgumentError(
            argument,
            f"{shown(value)} is neither an id or phone number nor a list of them.{made_by_rendering(value)}",
        )
    found = [number_name(argument, item, uuids=uuids) for item in items]
    if not found:
        raise InvalidArgumentError(argument, "is an empty list.")
    return list(dict.fromkeys(found))


def opaque_id(argument: str, value: object) -> str:
    """
    Return an id whose form is up to the vendor, as long as it cannot change the path that it becomes part of.

    If it is a uuid, it is in lower case then, as the ids in answers are: the two are compared.
    """
    text = id_as_text(argument, value)
    _refuse_length(argument, text)
    if made := spreadsheets.made_by_a_template(text):
        raise InvalidArgumentError(argument, f"{shown(value)} is {made}, not an id.")
    _refuse_blanks_and_controls(argument, text)
    if text in {".", ".."} or "/" in text or "\\" in text:
        raise InvalidArgumentError(
            argument, f"{shown(value)} is not an id: it would change the request's path."
        )
    return plain_id(text)


def agent_id(argument: str, value: object) -> str:
    """
    Return the id of an agent that is to get a number: what a table has in place of an id is none.

    An agent that is to lose a number is an :func:`opaque_id`: a number can be taken from any agent that has it.
    """
    text = id_as_text(argument, value)
    _refuse_length(argument, text)
    if made := spreadsheets.made(text):
        raise InvalidArgumentError(
            argument, f"{shown(value)} is {made}, not an agent's id. Keep ids as text where it comes from."
        )
    return opaque_id(argument, text)


def phone_number(argument: str, value: object) -> str:
    """Return a phone number: 1 to 255 characters, in whatever format the SIP provider expects."""
    text = present(argument, value)
    _refuse_length(argument, text)
    if made := spreadsheets.made_of_phone_number(text):
        raise InvalidArgumentError(argument, f"{shown(value)} is {made}, not a phone number. {_KEEP_AS_TEXT}")
    _refuse_blanks_and_controls(argument, text)
    return text


def new_phone_number(argument: str, value: object) -> str:
    """Return the phone number of a number that is to be created, or a SIP user in its place: ASCII alone."""
    text = phone_number(argument, value)
    if not text.isascii():
        known = e164(text)
        how = f" Write it as {known}." if known else " Write it with the digits 0 to 9."
        raise InvalidArgumentError(
            argument, f"{shown(value)} has characters in it that nobody can dial.{how}"
        )
    if not is_dialable(text) and not is_sip_user(text):
        raise InvalidArgumentError(argument, f"{shown(value)} is neither a phone number nor a SIP user.")
    return text


def text(argument: str, value: object) -> str:
    """Return a text of 1 to 255 characters that is not only white space; white space around it is kept."""
    found = present(argument, value)
    if has_unsafe(found):
        raise InvalidArgumentError(argument, f"{shown(value)} has invisible or control characters in it.")
    _refuse_length(argument, found)
    return found


def optional_text(argument: str, value: object) -> str | None:
    """Return a text of at most 255 characters, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgumentError(argument, f"{shown(value)} is not text.{made_by_rendering(value)}")
    if value.strip().lower() in _RENDERED_NOTHING:
        raise InvalidArgumentError(argument, _gave_nothing(value))
    if any(unicodedata.category(character) == "Cs" for character in value):
        raise InvalidArgumentError(argument, f"{shown(value)} has half a character (a surrogate) in it.")
    _refuse_length(argument, value)
    return value


def items_of(value: Any) -> list[Any] | None:
    """Return the items of a list or another iterable; None if it has none, as an array without dimensions has."""
    try:
        return list(value)
    except TypeError:
        return None


def is_empty(value: Any) -> bool:
    """Return whether it has no items. The truth value of an array or a table says something else, or is an error."""
    try:
        return len(value) == 0
    except TypeError:
        return False


def choice(argument: str, value: object, choices: Sequence[str]) -> str:
    """Return one of ``choices``."""
    if not isinstance(value, str) or value not in choices:  # an array compares with each of them
        allowed = " or ".join(f"'{name}'" for name in choices)
        raise InvalidArgumentError(argument, f"{shown(value)} is not one of the choices: use {allowed}.")
    return choices[choices.index(value)]  # not the value: a str enum has another text


def boolean(argument: str, value: object) -> bool:
    """Return a truth value; the usual spellings as text are accepted."""
    known = value if isinstance(value, bool) else _BOOLEANS.get(as_text(value).strip().lower())
    if known is None:
        raise InvalidArgumentError(argument, f"{shown(value)} is neither true nor false.")
    return known


def integer(argument: str, value: object, *, lowest: int, highest: int) -> int:
    """Return a whole number from ``lowest`` to ``highest``."""
    try:
        number = None if isinstance(value, (bool, float)) else int(str(value))
    except ValueError:
        number = None
    if number is None or not lowest <= number <= highest:
        raise InvalidArgumentError(
            argument, f"{shown(value)} is not a whole number from {lowest} to {highest}."
        )
    return number


def seconds(argument: str, value: object, *, longest: float = LONGEST) -> float:
    """
    Return a number of seconds, finite and at least 0. Text is not accepted.

    :param longest: What any larger number counts as, so that nothing that is computed of it overflows.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(min(value, longest))
    raise InvalidArgumentError(argument, f"{shown(value)} is not a number of seconds from 0 up.")


def in_seconds(value: Any) -> Any:
    """Return a time span in seconds, and anything else as it is."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def made_by_rendering(value: object) -> str:
    """Return how a number came to be where text is expected, and what to do."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return (
        " A DAG with render_template_as_native_obj=True makes a number of a template that looks like one, without its "
        "+ and zeros, or what it comes from holds a number: make it text there, or quote it in the template, as in "
        "\"'{{ params.number }}'\"."
    )


def _gave_nothing(value: object) -> str:
    return f"is {shown(value)}: the XCom, variable or parameter it comes from gave nothing."


def _refuse_length(argument: str, text: str) -> None:
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidArgumentError(
            argument, f"is {len(text)} characters long, at most {MAX_TEXT_LENGTH} are allowed."
        )


def _refuse_blanks_and_controls(argument: str, text: str) -> None:
    if text != trimmed(text) or has_invisible(text):
        raise InvalidArgumentError(
            argument, f"{shown(text)} has white space, invisible or control characters around or in it."
        )
