"""A strategy of one's own for the rotation, for the page on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.rotation import Turn


def the_least_used(turn: Turn) -> str:
    """Choose the number with the fewest uses; the one in use is not among them unless there is no other."""
    return min(turn.candidates, key=lambda candidate: candidate.uses).number_id
