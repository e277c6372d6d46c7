from __future__ import annotations

import pytest

from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.api.text import clean


def test_secrets_are_at_hand_and_never_shown() -> None:
    secrets = Secrets("sk_secret", None, "", "hunter2")
    assert list(secrets) == list(secrets) == ["sk_secret", "hunter2"]
    assert repr(secrets) == str(secrets) == "Secrets(...)"
    assert clean("sk_secret and hunter2", secrets) == "*** and ***"


SECRET = "sk_live+key/0123"


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        "sk_live\\u002Bkey\\/0123",
        "sk_live\\u002bkey\\u002f0123",
        "sk_live%2Bkey%2F0123",
        "sk_live%2bkey%2f0123",
        "sk_live&#43;key&#x2F;0123",
        "".join(f"\\u{ord(character):04x}" for character in SECRET),
        "".join(f"%{ord(character):02X}" for character in SECRET),
    ],
)
def test_an_escaped_secret_is_blanked(echo) -> None:
    assert Secrets(SECRET).redact(f"key={echo}&x") == "key=***&x"
    assert Secrets(SECRET).found_in(f'{{"key": "{echo}"}}'.encode())


def test_what_is_no_secret_stays() -> None:
    assert Secrets(SECRET).redact("sk_live key 0123, 50% \\u002B") == "sk_live key 0123, 50% \\u002B"
    assert not Secrets(SECRET).found_in(b"sk_live key 0123, 50% \\u002B")


def test_a_short_secret_does_not_spoil_answers() -> None:
    assert not Secrets("pw").found_in(b'{"id": "pw"}')
