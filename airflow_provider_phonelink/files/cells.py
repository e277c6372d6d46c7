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
#: The truth values in the languages of spreadsheets: each takes its own for one, and all of them the English ones.
_TRUE = frozenset(
    """
    true wahr vrai verdadero vero verdadeiro verdadera waar sant sann sand tosi satt tõene tiesa patiess prawda pravda
    igaz adevărat cert istina točno doğru benar истина істина истинито αληθεσ αληθησ
    """.casefold().split()
)
_FALSE = frozenset(
    """
    false falsch faux falso onwaar falskt usann falsk epätosi ósatt väär netiesa aplams fałsz nepravda hamis fals laž
    neistina netočno yanl\u0131ş yanliş salah ложь лъжа хибність хиба неистинито ψευδεσ ψευδησ
    """.casefold().split()
)
_TRUTH_VALUES = _TRUE | _FALSE
#: Characters that no date has; and an id whose digits are part of it: no date either, unless it is _LIKE_A_DATE.
_IN_NO_DATE = re.compile(r"[_\\@&=?#<>\"%$*|;~^{}\[\]!]")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LIKE_A_DATE = re.compile(r"[A-Za-z]+-?[0-9]{1,4}(-[0-9]{1,4})*")
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


def truth_of(cell: object) -> object:
    """Return the truth value that a spreadsheet wrote in its own language, and anything else as it is."""
    word = cell.casefold() if isinstance(cell, str) else ""
    return word in _TRUE if word in _TRUTH_VALUES else cell


def _is_kept(text: str) -> bool:
    """Return whether every spreadsheet keeps it as text and this package's reader returns it unchanged."""
    if is_uuid(text):
        return True
    if not text[0].isalpha() or text != trimmed(text) or text.casefold() in _TRUTH_VALUES:
        return False
    # Dates begin with a letter, too ("May 5, 2024"), in the words and the digits of any language.
    if any(map(str.isnumeric, text)) and not _IN_NO_DATE.search(text):
        return bool(_ID.fullmatch(text)) and not _LIKE_A_DATE.fullmatch(text)
    return True
