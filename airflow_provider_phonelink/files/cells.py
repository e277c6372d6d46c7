"""
Text in the cells of a table, so that a spreadsheet that opens and saves the table keeps it as text.

A spreadsheet executes ``=HYPERLINK(...)``, turns a phone number into 1.5551E+10 and ``MAR1`` into a date. It keeps text
that begins with an apostrophe, so such text is written with one, and reading removes it.
"""

from __future__ import annotations

import re

from airflow_provider_phonelink.api.text import is_unsafe, trimmed, visible
from airflow_provider_phonelink.api.uuids import is_uuid

_GUARD = "'"
#: Text that begins with a letter but is a truth value or, in some language, a date.
_NOT_KEPT = re.compile(r"true|false|[^\W\d_]{3,9}[ ./-]?[0-9]{1,4}", re.IGNORECASE)
#: Breaks within a cell are part of the format; other control characters are made visible.
_BREAKS = "\n\t"


def cell_of(text: str) -> str:
    """Return a text as the content of a cell."""
    text = "".join(
        visible(character) if is_unsafe(character) and character not in _BREAKS else character
        for character in text
    )
    if not text or _is_kept(text):
        return text
    # Mark both ends if blanks at an end are part of the text, or if the end could be taken for a mark.
    closed = text != trimmed(text) or text.endswith(_GUARD)
    return f"{_GUARD}{text}{_GUARD if closed else ''}"


def text_of(cell: str) -> str:
    """Return the text of a cell, without the blanks and invisible characters around it."""
    text = trimmed(cell)
    if len(text) < 2 or not text.startswith(_GUARD):
        return text
    return text[1:-1] if text.endswith(_GUARD) and len(text) > 2 else text[1:]


def _is_kept(text: str) -> bool:
    """Return whether every spreadsheet keeps it as text and this package's reader returns it unchanged."""
    if is_uuid(text):
        return True
    return text[0].isalpha() and text == trimmed(text) and not _NOT_KEPT.fullmatch(text)
