"""A strategy of one's own for the rotation, for the page on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def the_last_one(healthy: Sequence[str], ordinal: int | None, in_use: str | None) -> str:
    """Choose the last healthy number; the one in use is not among them unless there is no other."""
    return healthy[-1]
