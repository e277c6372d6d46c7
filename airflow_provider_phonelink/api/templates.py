"""Lists and dicts that a template rendered to text."""

from __future__ import annotations

from ast import literal_eval
from typing import Any

from airflow_provider_phonelink.api import arguments
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
    if not value.lstrip().startswith(("[", "{", "(")):
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
