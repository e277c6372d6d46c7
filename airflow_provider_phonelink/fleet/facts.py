"""All that is known of the numbers that somebody may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.fleet.rows import Row, View, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.fleet.readings import Reading


@dataclass(frozen=True)
class Facts:
    """The readings of some connections."""

    #: The type of each connection, a vendor's key.
    kinds: Mapping[str, str]
    readings: Mapping[str, Reading]

    @cached_property
    def rows(self) -> list[Row]:
        """The numbers of all connections."""
        return [
            row
            for conn_id, reading in self.readings.items()
            if reading.fleet
            for row in rows_of(conn_id, self.kinds[conn_id], reading.fleet)
        ]

    def number(self, conn_id: str, number_id: str) -> Row | None:
        """Return a number of a connection; None if there is none."""
        return next(
            (row for row in self.rows if (row.connection, row.number.id) == (conn_id, number_id)), None
        )

    def having(self, conn_id: str, agent_id: str) -> list[Row]:
        """Return the numbers that an agent of a connection has."""
        return [row for row in self.rows if row.connection == conn_id and agent_id in row.agent_ids]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many numbers have each verdict, without those that do not register."""
        counts = Counter(row.number.verdict.value for row in self.rows if row.number.verdict)
        return dict(sorted(counts.items()))

    @property
    def agents(self) -> dict[str, str]:
        """The agents that have a number, by id, in the order of their names."""
        found = {agent_id: row.named(agent_id) for row in self.rows for agent_id in row.agent_ids}
        return dict(sorted(found.items(), key=lambda agent: agent[1].casefold()))

    @property
    def warnings(self) -> list[str]:
        """What the readings could not tell for certain."""
        return [warning for one in self.readings.values() if one.fleet for warning in one.fleet.warnings]

    def as_json(self, view: View) -> dict[str, Any]:
        """Return the rows of a view, and how each connection's reading went, as plain data."""
        readings = self.readings.items()
        return {
            "numbers": [row.as_json() for row in view.select(self.rows)],
            "read_at": {id_: one.read_at and one.read_at.isoformat() for id_, one in readings},
            "stale": {id_: one.stale for id_, one in readings},
            "errors": {id_: one.error for id_, one in readings if one.error},
        }
