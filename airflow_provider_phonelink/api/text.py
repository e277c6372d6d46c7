"""Make vendor text safe to log: one line, bounded, without control characters and without secrets."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LENGTH = 500
#: Problems that a message lists at most.
MOST_LISTED = 20
#: C* are control, format, surrogate and private characters; Zl and Zp are line and paragraph separators.
_UNSAFE_CATEGORIES = ("C", "Zl", "Zp")


class Secrets:
    """Strings that must never be shown, in a box that does not show them in a traceback's local variables."""

    def __init__(self, *values: str | None) -> None:
        self.__values = tuple(filter(None, values))

    def __iter__(self) -> Iterator[str]:
        return iter(self.__values)

    def __repr__(self) -> str:
        return "Secrets(...)"


def clean(text: object, secrets: Iterable[str] = ()) -> str:
    """
    Return ``text`` fit for a log line or an error message.

    :param text: Anything; its ``str()`` is taken.
    :param secrets: Strings to blank out, such as the API key a vendor may echo.
    """
    line = str(text)
    for secret in secrets:
        line = line.replace(secret, "***")
    line = "".join(
        " " if unicodedata.category(character).startswith(_UNSAFE_CATEGORIES) else character
        for character in line[: MAX_LENGTH + 1]
    ).strip()
    return line if len(line) <= MAX_LENGTH else line[:MAX_LENGTH] + "…"


def listed(problems: Iterable[str]) -> str:
    """Return problems as one line: the first ones, and how many more there are."""
    found = tuple(problems)
    rest = f"; and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
    return "; ".join(found[:MOST_LISTED]) + rest
