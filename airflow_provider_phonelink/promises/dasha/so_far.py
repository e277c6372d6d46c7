"""What a try of an onboarding has found out so far: for its next look, and for its rows if no look succeeds again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.promises.journal import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.promises.dasha.onboard import Onboarding
    from airflow_provider_phonelink.promises.journal import Journal


@dataclass
class SoFar:
    """What the looks of one try have found out."""

    #: The rows of the last look that succeeded, those of numbers that were still waited for with a reason.
    rows: list[NumberRow] = field(default_factory=list)
    #: As for :class:`.onboard.Onboarding`; None if that got lost on the way.
    refused: dict[str, str] | None = field(default_factory=dict)

    def refused_by(self, journal: Journal) -> dict[str, str]:
        """Return what must not be written again; if that got lost, the journal knows what others have changed."""
        if self.refused is not None:
            return self.refused
        left = (
            "Somebody else changed this link in the meantime. It was left so. Run the task again to take it over "
            "(if_linked='replace')."
        )
        return {key: left for key, entry in journal if entry.state is State.CONTESTED}

    def take(self, onboarding: Onboarding) -> None:
        """Note what a look found."""
        self.rows, self.refused = onboarding.rows_so_far(), onboarding.refused

    def take_broken(self, onboarding: Onboarding) -> None:
        """Note what a look found that did not come to its end: only of numbers of which nothing else is known."""
        self.refused = onboarding.refused
        found = [
            row if row.reason is not None else replace(row, reason="not looked at to the end")
            for row in onboarding.rows()
        ]
        if not self.rows:
            self.rows = found if any(number.number for number in onboarding.numbers) else []
        elif len(self.rows) == len(found):
            self.rows = [
                new if old.id is None and new.id is not None else old
                for old, new in zip(self.rows, found, strict=True)
            ]

    def take_states(self, states: Mapping[str, Any]) -> None:
        """Note states of registrations, number id to state."""
        self.rows = [replace(row, state=states.get(str(row.id), row.state)) for row in self.rows]

    def as_text(self) -> str:
        """Return it for a later part of the same try: text, which Airflow stores as it is."""
        return json.dumps({"rows": [row.as_json() for row in self.rows], "refused": self.refused})


def so_far_from(text: str | None) -> SoFar:
    """Return what :meth:`SoFar.as_text` made text of; nothing known where there is none, or another version made it."""
    try:
        kept = json.loads(text or "")
        return SoFar([NumberRow(**row) for row in kept["rows"]], dict(kept["refused"]))
    except (ValueError, TypeError, KeyError):
        return SoFar(refused=None)
