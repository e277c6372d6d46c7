from __future__ import annotations

from uuid import UUID

import pytest

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.templates import names, number_names, parse_rendered


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


@pytest.mark.parametrize("value", ["A, B", ["A", "B"], ("A ", " B"), "A,B", "['A', 'B']", " ('A', 'B') "])
def test_names_may_be_a_list_or_text(value) -> None:
    assert names("states", value) == ("A", "B")


@pytest.mark.parametrize("value", [UUID(int=1), [UUID(int=1)]])
def test_names_may_be_uuids(value) -> None:
    assert names("scope, pool", value) == (str(UUID(int=1)),)


@pytest.mark.parametrize(
    "value",
    ["", "A,,B", ",", [], "[]", [1], 7, None, ["A", None], "None", "['A', None]", {"A": 1}, "{'A': 1}", "[A"],
)
def test_names_refuse(value) -> None:
    with pytest.raises(InvalidArgumentError):
        names("states", value)


def test_a_number_for_names_says_how_it_came_to_be() -> None:
    with pytest.raises(InvalidArgumentError, match="render_template_as_native_obj"):
        names("agents", 12345)
    with pytest.raises(InvalidArgumentError, match="render_template_as_native_obj"):
        number_names("phone_number_ids", 15550100001, uuids=True)


@pytest.mark.parametrize("value", ["+15550100003,102", "+15550100003,,102", "102, +15550100003"])
@pytest.mark.parametrize("uuids", [True, False])
def test_an_extension_after_a_comma_is_no_number_of_its_own(value, uuids) -> None:
    with pytest.raises(InvalidArgumentError, match="extension"):
        number_names("phone_number_ids", value, uuids=uuids)


@pytest.mark.parametrize("value", ["+15550100003;+15550100002", ["+15550100003;5"]])
def test_a_second_number_after_a_semicolon_is_no_parameter(value) -> None:
    with pytest.raises(InvalidArgumentError, match="neither the id of a number"):
        number_names("phone_number_ids", value, uuids=True)


def test_complete_numbers_may_be_separated_by_commas() -> None:
    text = "+15550100003, tel:+15550100004"
    assert number_names("phone_number_ids", text, uuids=True) == ["+15550100003", "tel:+15550100004"]
    assert number_names("pool", "['102', '103']", uuids=True) == ["102", "103"]
