"""The cases, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Bench, Row

TITLES = {
    "imports": "Import",
    "parsing": "Parse",
    "linking": "One link",
    "listing": "List",
    "requests": "Requests",
    "waiting": "Wait",
    "bulk": "Link many",
    "onboarding": "Onboard",
    "soak": "Soak",
}


@dataclass(frozen=True)
class Outcome:
    """What a case found."""

    title: str
    rows: list[Row]
    how: str
    #: Why its targets are missed, should they be.
    why: str


def run(name: str, bench: Bench) -> Outcome:
    """Run a case."""
    module = import_module(f"benchmarks.{name}")
    return Outcome(TITLES[name], module.run(bench), module.HOW, getattr(module, "WHY", ""))
