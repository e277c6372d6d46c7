"""The table on the terminal, and the page in the documentation."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.cases import Outcome
    from benchmarks.measure import Row

COLUMNS = ("case", "ours", "peer", "bare httpx", "ratio", "target", "met")
VERSIONS = (
    "airflow-provider-phonelink",
    "apache-airflow",
    "apache-airflow-providers-http",
    "aiohttp",
    "httpx",
    "pydantic",
)
HEAD = """# Benchmarks

What this provider costs beside what one would use without it: *peer* is `apache-airflow-providers-http`
(`HttpOperator`, `HttpHook`, the deferrable `HttpSensor`), *bare httpx* is httpx in code of one's own. The ratios are
the claim, and only those: the times are of one run on one machine, and rounded. In the column *ratio*, the other is
named in brackets; where the target is `<=`, it is our figure by the other's, where it is `>=`, the other's by ours.

`make bench` measures all of this anew and writes this page.

"""
HOW = """
## How it was measured

All cases talk to the same server process (`benchmarks/server.py`) on the loopback interface: raw asyncio on uvloop,
with the vendor's fields, nothing checked, so that it is not what is measured. Everybody gets the same payloads, page
size, Python, libraries and Airflow settings, and runs once for warmth before it is measured. Repetitions alternate
(A B, B A, A B, ...), so that a busy moment meets everybody; figures are medians. CPU time is that of the whole process,
all its threads included.
"""


def table(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return the cells of all rows."""
    return [_cells(row) for outcome in outcomes for row in outcome.rows]


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table: with colours on a terminal, plain otherwise."""
    rows = table(outcomes)
    if not sys.stdout.isatty():
        _print_plain(rows)
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(*COLUMNS)
    for row in rows:
        colour = {"yes": "green", "no": "red"}.get(row[-1])
        shown.add_row(*row[:-1], f"[{colour}]{row[-1]}[/]" if colour else "")
    Console().print(shown)


def write(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write the page."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
    lines += [f"| {' | '.join(cells)} |" for cells in table(outcomes)]
    parts = [HEAD, "\n".join(lines), "\n", _missed(outcomes), HOW]
    parts += [f"\n### {outcome.title}\n{outcome.how}\n" for outcome in outcomes]
    file.write_text("".join(parts) + f"\n## With what\n\n{_surroundings()}\n", encoding="utf-8")


def _missed(outcomes: Sequence[Outcome]) -> str:
    missed = [(row, outcome) for outcome in outcomes for row in outcome.rows if row.met is False]
    if not missed:
        return "\nEvery target is met.\n"
    reasons = [outcome.why for outcome in outcomes if any(row.met is False for row in outcome.rows)]
    lines = [f"- {row.case}: {row.ratio or row.ours} instead of {row.target}." for row, _ in missed]
    return "\n## What misses its target, and why\n\n" + "\n".join(lines) + "\n\n" + "\n".join(reasons) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "no", None: ""}[row.met]
    return (row.case, row.ours, row.peer, row.bare, row.ratio, row.target, met)


def _print_plain(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(cells[column]) for cells in [COLUMNS, *rows]) for column in range(len(COLUMNS))]
    for cells in [COLUMNS, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _surroundings() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {versions}. {platform.system()}, {os.cpu_count()} processors; the "
        f"load average was {load:.1f} at the end, the run itself included."
    )
