"""Keep secrets out of everything that is shown or stored, even if a vendor echoes them in another encoding."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A shorter secret would also match unrelated text, so a shorter API key is refused.
SHORTEST_SECRET = 8


class Secrets:
    """
    Strings that must never be shown, in a box that does not show them in a traceback's local variables.

    They are found also where they are escaped as JSON, in a URL or in HTML.
    """

    def __init__(self, *values: str | None) -> None:
        self.__values = tuple(filter(None, values))

    def __iter__(self) -> Iterator[str]:
        return iter(self.__values)

    def __repr__(self) -> str:
        return "Secrets(...)"

    def found_in(self, body: bytes) -> bool:
        """Return whether a body shows one of them. Short ones are not looked for: any text may have them."""
        long_ones = [secret for secret in self.__values if len(secret) >= SHORTEST_SECRET]
        if any(secret.encode() in body for secret in long_ones):
            return True
        may_be_escaped = any(mark in body for mark in (b"\\", b"%", b"&#"))
        return may_be_escaped and any(_in_bytes(secret).search(body) for secret in long_ones)

    def redact(self, text: str) -> str:
        """Return a text with each of them blanked out."""
        for secret in self.__values:
            text = _in_text(secret).sub("***", text)
        return text


@lru_cache(maxsize=64)
def _in_text(secret: str) -> re.Pattern[str]:
    return re.compile(_pattern(secret))


@lru_cache(maxsize=64)
def _in_bytes(secret: str) -> re.Pattern[bytes]:
    return re.compile(_pattern(secret).encode())


def _pattern(secret: str) -> str:
    return "".join(map(_escaped_or_not, secret))


def _escaped_or_not(character: str) -> str:
    r"""Match a character as it is, and as ``\u002B``, ``\/``, ``%2B`` or ``&#43;``."""
    code = ord(character)
    plain = re.escape(character)
    in_json, in_url = _hex(f"{code:04x}"), _hex(f"{code:02x}")
    return rf"(?:{plain}|\\{plain}|\\u{in_json}|%{in_url}|&#0*{code};|&#[xX]0*{_hex(f'{code:x}')};)"


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
