"""What spreadsheets, other programs and templates make of phone numbers and ids, and what messages call it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from airflow_provider_phonelink.api.text import trimmed

_QUOTES = '"\u201c-\u201f\u201a\u00ab\u00bb\u2039\u203a\u300c-\u300f'
_FORMS = (
    (r"[+-]?[0-9]+([.,][0-9]*)?\s*[eE]\s*[+\-\u2212]\s*[0-9]+", "a number in scientific notation"),
    (
        r"[+-]?[0-9]+([.,][0-9]*)?\s*(\u00d7\s*10|[x*\u00b7\u22c5]\s*10\s*[\^\u00b9\u00b2\u00b3\u2070-\u207b]).*",
        "a number in scientific notation",
    ),
    (r"[+-]?[0-9]+[.,]0*", "a decimal number"),
    (
        r"[+-]?[0-9]{1,3}((,[0-9]{2,3})*,[0-9]{3}(\.[0-9]*)?|(['\u2019][0-9]{3})+([.,][0-9]*)?|(\.[0-9]{3})+,0+)",
        "a number with separators of thousands",
    ),
    (r"[=\uff1d].*", "a formula of a spreadsheet"),
    (
        r"['\u2018\u2019\u201b\u2032`\u00b4\u02b9\u02bc].*",
        "text with the apostrophe by which a spreadsheet marks text",
    ),
    (
        rf"[{_QUOTES}].*[{_QUOTES}]|[{_QUOTES}][^{_QUOTES}]*|[^{_QUOTES}]*[{_QUOTES}]",
        "text with its quotation marks",
    ),
    (r"b'.*'", "bytes as Python writes them"),
    (r"(?i:true|false)", "a truth value"),
    (r"##+|#[\u00a1\u00bf]?[^\W\d_].*|(?i:err:[0-9]+)", "what a spreadsheet shows in place of a value"),
    (
        r"NA|(?i:[+-]?nan|nat|n/a|n/d|n\.a\.|nil|\(null\)|\(blank\)|<na>|<null>|<none>)|-?1\.#[A-Z]+|\\N|~"
        r"|[-\u2010-\u2015\u2212]+|\?+",
        "what a table has in place of a value that is not there",
    ),
)
#: What may be an id, but is no phone number.
_NUMBERS = (
    (r"[+-]?[0-9]+([.,][0-9]*)?\s*[eE]\s*[0-9]+", "a number in scientific notation"),
    (r"[+-]?[0-9]{7,}\.[0-9]+", "a decimal number"),
    (r"[-\u2212][0-9]+", "a negative number"),
    (r"\.+|#", "what a table has in place of a value that is not there"),
)
#: What is no id anywhere, not even of an agent that is to lose a number.
_RENDERED = (
    (r".*(\{\{|\{%|\{#|<%|\$[({]).*|\$[A-Za-z_]\w*", "a template that nobody rendered"),
    (r"\[.*\]|\{.*\}|<.*>|\([^'\",]*['\",].*\)", "a list, a mapping or a placeholder as text"),
)


def made(text: str) -> str | None:
    """Return what a text is that a table made of an id; None if it is nothing such."""
    return _form_of(text, _FORMS)


def made_of_phone_number(text: str) -> str | None:
    """Return what a text is that a table made of a phone number; None if it is nothing such."""
    return _form_of(text, _FORMS + _NUMBERS + _RENDERED)


def made_by_a_template(text: str) -> str | None:
    """Return what a text is that a template made, or that is one; None if it is nothing such."""
    return _form_of(text, _RENDERED)


def _form_of(text: str, forms: tuple[tuple[str, str], ...]) -> str | None:
    pattern = _compiled(forms)
    written = {trimmed(text), trimmed(unicodedata.normalize("NFKC", text))}
    found = [
        int(match.lastgroup[1:]) for match in map(pattern.fullmatch, written) if match and match.lastgroup
    ]
    return forms[min(found)][1] if found else None


@cache
def _compiled(forms: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """Compile all forms as one, when the first text is looked at: DAG files are parsed without it."""
    return re.compile("|".join(f"(?P<f{index}>{form})" for index, (form, _) in enumerate(forms)), re.DOTALL)
