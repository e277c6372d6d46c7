"""Lists and dicts that a template rendered to text."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.e164 import e164, is_dialable
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import shown

#: In characters. Python takes five hundred times the memory of such a text to read it.
LONGEST = 2**18


def parse_rendered(argument: str, value: Any) -> Any:
    """
    Return the list or dict that a text stands for; anything but text is returned as it is.

    :param argument: What the caller calls it.
    :param value: Text such as ``"['a', 'b']"``, ``'{"a": 1}'`` or ``"a, b"``.
    :raises InvalidArgumentError: If the text is empty, longer than :data:`LONGEST`, or begins like a list or dict and
        is none. An empty list is ``[]``, so that a template that gave nothing is not taken for one.
    """
    if not isinstance(value, str):
        return value
    arguments.present(argument, value)
    if _is_simple(value):
        return [part.strip() for part in value.split(",") if part.strip()]
    if len(value) > LONGEST:
        raise InvalidArgumentError(
            argument,
            f"is a list or dict in a text of {len(value)} characters; at most {LONGEST} are read. Hand it over as it "
            "is, such as by the output of a task.",
        )
    try:
        return literal_eval(value.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise InvalidArgumentError(argument, f"{shown(value)} is neither a list nor a dict.") from None


def names(argument: str, value: Any) -> tuple[str, ...]:
    """
    Return a list of names, which may also be written as ``A, B``, or be the text that a template makes of a list.

    :raises InvalidArgumentError: If it is anything else, or empty.
    """
    if value is None:
        arguments.present(argument, value)
    if isinstance(value, UUID):
        value = str(value)
    items = value.split(",") if _is_simple(value) else parse_rendered(argument, value)
    # The keys of a mapping would be taken for names.
    items = None if isinstance(items, Mapping) else arguments.items_of(items)
    if items is None:
        raise InvalidArgumentError(
            argument, f"{shown(value)} is not a list of names.{arguments.made_by_rendering(value)}"
        )
    found = tuple(arguments.id_as_text(argument, item).strip() for item in items)
    if not found:
        raise InvalidArgumentError(argument, "is an empty list.")
    return found


def number_names(argument: str, value: Any, *, uuids: bool) -> list[str]:
    """
    Return what names one or several numbers, each once, from a list or a text such as ``"A, B"``.

    :param uuids: Whether the ids of numbers are uuids.
    :raises InvalidArgumentError: If one of them is neither an id nor a phone number. In a text with commas a phone
        number has to be complete: what follows a comma may be the extension of the number before it.
    """
    found = arguments.number_names(argument, parse_rendered(argument, value), uuids=uuids)
    if _is_simple(value) and "," in value:
        for name in found:
            if is_dialable(name) and e164(name) is None:
                raise InvalidArgumentError(
                    argument,
                    f"{shown(value)} may be several numbers, or one with an extension: {shown(name)} is no complete "
                    "phone number. Give a list.",
                )
    return found


def _is_simple(value: Any) -> bool:
    """Return whether it is text such as ``"A, B"``, and not a list or dict that is written out."""
    return isinstance(value, str) and not value.lstrip().startswith(("[", "{", "("))
