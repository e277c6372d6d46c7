"""
Check arguments before a request leaves.

Each function takes the argument's name and value and returns the value to send, or raises
:class:`~airflow_provider_phonelink.api.errors.InvalidArgumentError`. Templates render to text, so
``"True"``, ``"7"`` and the ``"None"`` of an XCom that was not there are met here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from uuid import UUID

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean

MAX_TEXT_LENGTH = 255
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: What an absent XCom or variable renders to in a template.
_RENDERED_NOTHING = frozenset({"none", "null", "undefined"})
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def uuid(argument: str, value: object) -> str:
    """Return a uuid in its canonical lower-case form."""
    text = str(value) if isinstance(value, UUID) else _present(argument, value)
    if not _UUID.fullmatch(text):
        raise InvalidArgumentError(argument, f"{_shown(value)} is not a uuid.")
    return text.lower()


def is_uuid(text: str) -> bool:
    """Return whether a text has the form of a uuid."""
    return _UUID.fullmatch(text) is not None


def uuids(argument: str, value: object) -> list[str]:
    """Return one or several uuids, each once. One may be given without a list around it."""
    values = [value] if isinstance(value, (str, UUID)) or value is None else value
    if not isinstance(values, Iterable):
        raise InvalidArgumentError(argument, f"{_shown(value)} is neither an id nor a list of ids.")
    ids = [uuid(argument, item) for item in values]
    if not ids:
        raise InvalidArgumentError(argument, "is an empty list.")
    return list(dict.fromkeys(ids))


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return a list of names, which may also be written as ``A, B``."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        raise InvalidArgumentError(argument, f"{_shown(value)} is not a list of names.")
    found = tuple(_present(argument, item).strip() for item in items)
    if not found:
        raise InvalidArgumentError(argument, "is an empty list.")
    return found


def opaque_id(argument: str, value: object) -> str:
    """Return an id whose form is the vendor's affair, provided that it cannot change a path it is put in."""
    text = _present(argument, value)
    if text != text.strip() or _has_control_characters(text):
        raise InvalidArgumentError(
            argument, f"{_shown(value)} has white space or control characters around or in it."
        )
    if text in {".", ".."} or "/" in text or "\\" in text:
        raise InvalidArgumentError(
            argument, f"{_shown(value)} is not an id: it would change the request's path."
        )
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidArgumentError(
            argument, f"is {len(text)} characters long, at most {MAX_TEXT_LENGTH} are allowed."
        )
    return text


def phone_number(argument: str, value: object) -> str:
    """Return a phone number: 1 to 255 characters in whatever format the SIP provider wants."""
    text = _present(argument, value)
    if _has_control_characters(text):
        raise InvalidArgumentError(argument, f"{_shown(value)} has control characters in it.")
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidArgumentError(
            argument, f"is {len(text)} characters long, at most {MAX_TEXT_LENGTH} are allowed."
        )
    return text


def optional_text(argument: str, value: object) -> str | None:
    """Return a text of at most 255 characters, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgumentError(argument, f"{_shown(value)} is not text.")
    if value.strip().lower() in _RENDERED_NOTHING:
        raise InvalidArgumentError(argument, _gave_nothing(value))
    if any(unicodedata.category(character) == "Cs" for character in value):
        raise InvalidArgumentError(argument, f"{_shown(value)} has half a character (a surrogate) in it.")
    if len(value) > MAX_TEXT_LENGTH:
        raise InvalidArgumentError(
            argument, f"is {len(value)} characters long, at most {MAX_TEXT_LENGTH} are allowed."
        )
    return value


def choice(argument: str, value: object, choices: Sequence[str]) -> str:
    """Return one of ``choices``."""
    if value not in choices:
        allowed = " or ".join(f"'{name}'" for name in choices)
        raise InvalidArgumentError(argument, f"{_shown(value)} is not one of the choices: use {allowed}.")
    return choices[choices.index(value)]  # not the value: a str enum's own text is another


def boolean(argument: str, value: object) -> bool:
    """Return a truth value; its usual spellings as text count."""
    known = value if isinstance(value, bool) else _BOOLEANS.get(str(value).strip().lower())
    if known is None:
        raise InvalidArgumentError(argument, f"{_shown(value)} is neither true nor false.")
    return known


def integer(argument: str, value: object, *, lowest: int, highest: int) -> int:
    """Return a whole number from ``lowest`` to ``highest``."""
    try:
        number = None if isinstance(value, (bool, float)) else int(str(value))
    except ValueError:
        number = None
    if number is None or not lowest <= number <= highest:
        raise InvalidArgumentError(
            argument, f"{_shown(value)} is not a whole number from {lowest} to {highest}."
        )
    return number


def _present(argument: str, value: object) -> str:
    if value is None or (isinstance(value, str) and value.strip().lower() in _RENDERED_NOTHING):
        raise InvalidArgumentError(argument, _gave_nothing(value))
    if not isinstance(value, str):
        raise InvalidArgumentError(argument, f"{_shown(value)} is {type(value).__name__}, not text.")
    if not value.strip():
        raise InvalidArgumentError(argument, "is empty.")
    return value


def _gave_nothing(value: object) -> str:
    return f"is {value!r}: the XCom, variable or parameter it comes from gave nothing."


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(character).startswith("C") for character in text)


def _shown(value: object) -> str:
    try:
        return clean(repr(value))
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return "the value"
