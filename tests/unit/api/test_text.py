from __future__ import annotations

import tracemalloc
import unicodedata
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.api.text import MAX_LENGTH, MAX_SHOWN, clean, shown, trimmed, visible

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=2000)
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=1, max_size=60
)


@given(ANY_TEXT)
def test_is_one_safe_bounded_line(text) -> None:
    line = clean(text)
    assert len(line) <= MAX_LENGTH + 1
    assert not {unicodedata.category(character) for character in line} & {
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
    }  # fmt: skip
    assert line.splitlines() in ([], [line])
    line.encode()


@given(ANY_TEXT, KEYS, ANY_TEXT)
def test_blanks_secrets_wherever_they_are(before, key, after) -> None:
    assert key not in clean(f"{before}{key}{after}", Secrets(key))


def test_a_secret_at_the_cut_does_not_show_in_part() -> None:
    assert "sk_" not in clean("x" * (MAX_LENGTH - 3) + "sk_secret", Secrets("sk_secret"))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, "None"),
        (ValueError("x"), "x"),
        ("a\r\nb", "a  b"),
        ("\x1b[31mred", "[31mred"),
        ("\u202etxt", "txt"),
        ("naïve ✓", "naïve ✓"),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
        ("x" * (MAX_LENGTH + 1), "x" * MAX_LENGTH + "…"),
    ],
)
def test_clean(text, cleaned) -> None:
    assert clean(text) == cleaned


@given(ANY_TEXT)
def test_what_is_made_visible_is_printed_as_it_is_written(text) -> None:
    line = visible(text)
    assert line.splitlines() in ([], [line])
    assert "\x1b" not in line
    line.encode()
    assert visible(line) == line
    if text.isprintable():
        assert line == text


def test_visible() -> None:
    assert visible("é\x1b]8;;x\x07\u202e\n\x9b") == "é\\x1b]8;;x\\x07\\u202e\\n\\x9b"


class Colour(str, Enum):
    RED = "red\x1b"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("+1\u00a0", "'+1\\xa0'"),
        (None, "None"),
        (7, "7"),
        ({"a": "b"}, "{'a': 'b'}"),
        (Colour.RED, "'red\\x1b'"),
        ("x" * (MAX_SHOWN + 1), repr("x" * MAX_SHOWN + "…")),
        ([1, 2, 3, 4, 5], "[1, 2, 3, 4, ...]"),
    ],
)
def test_shown(value, text) -> None:
    assert shown(value) == text


def test_a_number_that_python_does_not_write_out() -> None:
    assert shown(10**5000) == "a value of type int"


class Row(dict):
    pass


@pytest.mark.parametrize(
    "kind", [list, tuple, lambda items: dict(enumerate(items)), lambda items: Row(enumerate(items))]
)
def test_what_is_nested_is_cut_before_it_is_written_out(kind) -> None:
    value = kind(["lol"] * 9)
    for _ in range(40):
        value = kind([value] * 9)
    tracemalloc.start()
    try:
        assert len(shown(value)) < 2000
        assert tracemalloc.get_traced_memory()[1] < 2**17
    finally:
        tracemalloc.stop()


@given(ANY_TEXT, st.text(st.sampled_from(" \t\n\u00a0\u200b\u200e\u202a\ufeff\u3000")))
def test_trimmed(text, around) -> None:
    assert trimmed(around + text + around) == trimmed(text)
    assert trimmed(trimmed(text)) == trimmed(text)
    assert trimmed(f"{around}a{text}b{around}") == f"a{text}b"
