"""What to look for in a path: all that a test needs, in bounded time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.sandbox.patterns import LONGEST, PathPattern

LINK = "/api/v1/sip-phone-numbers/3c9/agent-link"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", True),
        ("agent-link", True),
        ("agent-link$", True),
        ("/3c9$", False),
        ("^/api", True),
        ("^/v1", False),
        ("^" + LINK + "$", True),
        ("^/api$", False),
        ("numbers/*/agent", True),
        ("numbers/.*/agent-link$", True),
        ("link*link", False),
        ("^/api*link*", True),
        ("/(3c9|4d0)/agent-link$", True),
        ("/(3c9|4d0)/affected-(agents|links)", False),
        ("^$", False),
        ("^*$", True),
        ("^/v1|link$", True),
        (r"sip\-phone\-numbers", True),
        (r"agent-link\$", False),
    ],
)
def test_examples(pattern: str, found: bool) -> None:
    assert PathPattern(pattern).search(LINK) is found


@given(st.text(alphabet="a/^$*(|)", max_size=12), st.text(alphabet="a/", max_size=8))
def test_it_finds_what_a_regular_expression_would(pattern: str, path: str) -> None:
    try:
        ours = PathPattern(pattern)
    except ValueError:
        return
    ways = [re.sub(r"(?<!^)\^", r"\^", re.sub(r"\$(?!$)", r"\$", way)) for way in written_out(pattern)]
    expected = any(
        re.search(way.replace("*", ".*") + ("\\Z" if way.endswith("$") else ""), path) for way in ways
    )
    assert ours.search(path) is expected


def written_out(pattern: str) -> list[str]:
    """The texts that a pattern with alternatives stands for."""
    group = re.search(r"\(([^()]*)\)", pattern)
    if group is None:
        return pattern.split("|")
    before, after = pattern[: group.start()], pattern[group.end() :]
    if "|" in before:
        first, _, before = before.rpartition("|")
        return [*written_out(first), *written_out(before + pattern[group.start() :])]
    return [way for choice in group.group(1).split("|") for way in written_out(before + choice + after)]


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "((a))", "(a", "a)", "a+", "[^/]", "a{9}", "a?", "a\\", "(a|b)" * 7, "a" * (LONGEST + 1)],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="path"):
        PathPattern(pattern)


def test_no_pattern_takes_long() -> None:
    """Regular expressions of this form take longer than the universe has been there."""
    path = "/" + "a" * 60_000
    for pattern in ("a*" * 200 + "b", "a*" * 200 + "b$", "(a*|a*)" * 6 + "b"):
        assert not PathPattern(pattern).search(path)
