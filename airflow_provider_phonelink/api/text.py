"""Make vendor text safe to log: one line, bounded, without control characters and without secrets."""

from __future__ import annotations

import reprlib
import unicodedata
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.redaction import Secrets

MAX_LENGTH = 500
#: The most problems that a message lists.
MOST_LISTED = 20
#: C* are control, format, surrogate and private characters; Zl and Zp are line and paragraph separators.
_UNSAFE_CATEGORIES = ("C", "Zl", "Zp")


#: Fillers, joiners and selectors of a variant: what Unicode lets a font ignore, and no category tells.
_IGNORED = frozenset(
    map(
        chr,
        (
            *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
#: Control characters, halves of characters, and line and paragraph separators.
_NOT_OF_A_LINE = ("Cc", "Cs", "Zl", "Zp")
#: The most characters of an id that is kept; more than a URL or an asset takes.
MAX_KEPT = 2000


#: The most characters of a text that a message shows.
MAX_SHOWN = 100


_BUILT_IN: dict[type, Callable[[Any], Any]] = {str: str.__str__, dict: dict, list: list, tuple: tuple}


class _Written(reprlib.Repr):
    """Python's own way to abbreviate long values, at each level of nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = self.maxlong = MAX_SHOWN + 3
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 4

    def repr1(self, x: Any, level: int) -> str:
        # Subclasses of built-in types, too, because each of them would write out its whole content.
        for kind, plain in _BUILT_IN.items():
            if isinstance(x, kind) and type(x) is not kind:
                return super().repr1(plain(x), level)
        return super().repr1(x, level)


_written = _Written()


def clean(text: object, secrets: Secrets | None = None) -> str:
    """
    Return ``text`` fit for a log line or an error message.

    :param text: Anything; its ``str()`` is taken.
    :param secrets: What to blank out, such as the API key that a vendor may echo.
    """
    line = secrets.redact(str(text)) if secrets else str(text)
    line = _replaced(line[: MAX_LENGTH + 1], lambda _: " ").strip()
    return line if len(line) <= MAX_LENGTH else line[:MAX_LENGTH] + "…"


def visible(text: str) -> str:
    r"""Return ``text`` with control and invisible characters written as escapes, such as ``\x1b``."""
    return _replaced(text, _escaped)


def visible_in(value: Any) -> Any:
    """Return plain data with all texts in it as :func:`visible` returns them."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_in(key): visible_in(item) for key, item in value.items()}
    return [visible_in(item) for item in value] if isinstance(value, (list, tuple)) else value


def shown(value: object) -> str:
    """
    Return a value as Python writes it, fit for a message: what is long or nested is cut before it is written out.

    A list whose items are one and the same list, and so on, takes little memory and no end of text.
    """
    try:
        return visible(_written.repr(value[:MAX_SHOWN] + "…" if _is_long(value) else value))
    except ValueError:  # Python refuses to write out integers of more than 4,300 digits
        return f"a value of type {type(value).__name__}"


def as_text(value: object) -> str:
    """Return ``str(value)``; for what Python refuses to write out, such as very long integers, what messages show."""
    try:
        return str(value)
    except ValueError:
        return shown(value)


def trimmed(text: str) -> str:
    """Return ``text`` without the blanks, no-break and zero-width spaces and direction marks around it."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def is_unsafe(character: str) -> bool:
    """Return whether a character is a control, format, private or surrogate character, or a line separator."""
    return unicodedata.category(character).startswith(_UNSAFE_CATEGORIES)


def has_unsafe(text: str) -> bool:
    """Return whether a text has an unsafe character."""
    return not text.isprintable() and any(map(is_unsafe, text))


def has_invisible(text: str) -> bool:
    """Return whether a text has an unsafe character, or one that Python calls printable and nobody sees."""
    return has_unsafe(text) or (not text.isascii() and not _IGNORED.isdisjoint(text))


def is_one_line(value: object) -> TypeGuard[str]:
    """Return whether a value is a text that can be written anywhere: one line, encodable, not without end."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_KEPT
        and (value.isprintable() or not any(unicodedata.category(one) in _NOT_OF_A_LINE for one in value))
    )


def listed(problems: Iterable[str]) -> str:
    """Return problems as one line: the first ones, and how many more there are."""
    found = tuple(problems)
    rest = f"; and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
    return "; ".join(found[:MOST_LISTED]) + rest


def first_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings, and how many more there are as the last one."""
    more = len(warnings) - MOST_LISTED
    return [*warnings[:MOST_LISTED], *([f"... and {more} more warnings"] if more > 0 else [])]


def _replaced(text: str, replacement: Callable[[str], str]) -> str:
    """Return ``text`` with each unsafe character replaced."""
    # Nothing that Python calls printable is unsafe, and nearly all that is logged is printable.
    if text.isprintable():
        return text
    return "".join(replacement(character) if is_unsafe(character) else character for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def _is_long(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) > MAX_SHOWN
