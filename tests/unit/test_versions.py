"""The table of versions in the documentation says what the tests say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
MINORS = re.search(r"^MINORS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()  # type: ignore[index]


def rows(first_head: str) -> list[list[str]]:
    """Return a table, its heads first, without the line below them."""
    table = PAGE.split(f"| {first_head} |")[1].split("\n\n")[0].splitlines()
    lines = [f"| {first_head} |{table[0]}", *table[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def made_by_the_tests() -> list[list[str]]:
    """Return the rows that the tests make: the docstring, and for each minor whether the test runs there."""
    tree = ast.parse((ROOT / "tests" / "minors" / "test_deployed.py").read_text(encoding="utf-8"))
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            first = [
                ast.literal_eval(mark.args[0]) for mark in node.decorator_list if isinstance(mark, ast.Call)
            ]
            runs = ["yes" if numbers(minor) >= numbers(*first) else "no" for minor in MINORS]
            found.append([ast.get_docstring(node) or "", *runs])
    return found


def numbers(minor: str = "3.0") -> list[int]:
    return [int(part) for part in minor.split(".")]


def test_each_cell_is_a_test() -> None:
    heads, *told = rows("on a whole deployment")
    assert heads[1:] == MINORS
    assert told == made_by_the_tests()
    assert len(told) > 10


@pytest.mark.parametrize("minor", MINORS)
def test_what_is_tested_is_what_is_pinned(minor: str) -> None:
    [version] = [tested_as for airflow, tested_as, _ in rows("Airflow") if airflow == minor]
    assert (
        f"apache-airflow=={version}"
        in (ROOT / "constraints" / f"airflow-{minor}.txt").read_text().splitlines()
    )


def test_constraints_are_names_and_versions_only() -> None:
    for file in (ROOT / "constraints").glob("*.txt"):
        for line in file.read_text().splitlines():
            assert re.fullmatch(r"[a-z0-9.-]+==[^ /]+( ; [^/]+)?", line), f"{file.name}: {line}"
