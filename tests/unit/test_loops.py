"""What the Makefile, the hooks before a commit and the tests say of each other."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def recipe(target: str) -> list[str]:
    """Return the commands of a target."""
    [lines] = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    return [line.lstrip("\t@") for line in lines.splitlines() if not line.startswith("\t$(say)")]


def test_a_commit_is_checked_as_make_lint_and_make_types_do() -> None:
    [hooks] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert hooks["repo"] == "local"
    made = [command.replace("$(VENV)", ".venv/airflow-3.3") for command in recipe("lint") + recipe("types")]
    assert [re.sub(r" \.$", "", command) for command in made] == [
        hook["entry"].replace(" --force-exclude", "") for hook in hooks["hooks"]
    ]


def test_make_help_says_of_each_target_how_long_it_takes_and_what_it_proves() -> None:
    public = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.M))
    told = dict(re.findall(r"^([a-z-]+):.*## ([^:]*): \S", MAKEFILE, re.M))
    assert set(told) == public
    assert [
        target for target, time in told.items() if not re.search(r"\d (s|min)|MINUTES|minutes|hours", time)
    ] == ["help"]
