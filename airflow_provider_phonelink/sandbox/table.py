"""The state as a table to print."""

from __future__ import annotations

from typing import Any

COLUMNS = ("vendor", "number", "registration", "inbound_agent", "outbound_agents")


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return rows as aligned text, with a heading."""
    lines = [tuple(column.replace("_", " ") for column in COLUMNS)]
    lines += [tuple(_cell(row[column]) for column in COLUMNS) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(value)
    return str(value) if value else "-"
