from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.text import MAX_LENGTH, Secrets, clean

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
    assert key not in clean(f"{before}{key}{after}", [key])


def test_a_secret_at_the_cut_does_not_show_in_part() -> None:
    assert "sk_" not in clean("x" * (MAX_LENGTH - 3) + "sk_secret", ["sk_secret"])


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


def test_secrets_are_at_hand_and_never_shown() -> None:
    secrets = Secrets("sk_secret", None, "", "hunter2")
    assert list(secrets) == list(secrets) == ["sk_secret", "hunter2"]
    assert repr(secrets) == str(secrets) == "Secrets(...)"
    assert clean("sk_secret and hunter2", secrets) == "*** and ***"
