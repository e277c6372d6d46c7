from __future__ import annotations

import pytest

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.templates import parse_rendered


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a', 'b']", ["a", "b"]),
        ('{"a": 1}', {"a": 1}),
        ("('a',)", ("a",)),
        (" a, b ,", ["a", "b"]),
        ("a", ["a"]),
        ("[]", []),
        (["a"], ["a"]),
        (None, None),
    ],
)
def test_a_list_or_dict_is_read_from_text(text, value) -> None:
    assert parse_rendered("pool", text) == value


@pytest.mark.parametrize("text", ["[a", "{", "[a, b]", "(", "[" * 10_000, "{[]: 1}"])
def test_text_that_only_begins_like_one_is_refused(text) -> None:
    with pytest.raises(InvalidArgumentError, match=r"pool: .* is neither a list nor a dict"):
        parse_rendered("pool", text)


@pytest.mark.parametrize("text", ["", "  ", "None", "null"])
def test_text_that_came_of_nothing_is_not_an_empty_list(text) -> None:
    with pytest.raises(InvalidArgumentError, match=r"pool: .* (empty|gave nothing)"):
        parse_rendered("pool", text)
