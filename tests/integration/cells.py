"""How many cells of the fault matrix were tried, and how many survived."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

tried: dict[str, set[str]] = {}
survived: dict[str, set[str]] = {}


@contextmanager
def cell(matrix: str, name: str) -> Iterator[None]:
    """Count a cell: as tried, and as survived if nothing is raised."""
    tried.setdefault(matrix, set()).add(name)
    yield
    survived.setdefault(matrix, set()).add(name)


def summary() -> list[str]:
    """A line for each matrix."""
    return [
        f"{matrix}: {len(names)} cells tried, {len(survived.get(matrix, ()))} survived"
        for matrix, names in tried.items()
    ]
