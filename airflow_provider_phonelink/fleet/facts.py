"""All that is known of the numbers that somebody may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.fleet.rows import Row, View, rows_of
from airflow_provider_phonelink.fleet.wishes import latest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_phonelink.fleet.changes import PastChange
    from airflow_provider_phonelink.fleet.readings import Reading
    from airflow_provider_phonelink.fleet.wishes import Wish


@dataclass(frozen=True)
class Facts:
    """The readings of some connections."""

    #: The type of each connection, a vendor's key.
    kinds: Mapping[str, str]
    readings: Mapping[str, Reading]
    #: What tasks changed, the latest first.
    changes: Sequence[PastChange] = ()
    #: What routes want.
    wishes: Sequence[Wish] = ()

    @cached_property
    def rows(self) -> list[Row]:
        """The numbers of all connections."""
        return [
            row
            for conn_id, reading in self.readings.items()
            if reading.fleet
            for row in rows_of(conn_id, self.kinds[conn_id], reading.fleet, self._last_changes, self._wished)
        ]

    @cached_property
    def _wished(self) -> dict[tuple[str, str], list[Wish]]:
        return latest(wish for wish in self.wishes if self._was_read_since(wish))

    def _was_read_since(self, wish: Wish) -> bool:
        """Return whether it shows already what the task made of its wish."""
        reading = self.readings.get(wish.conn_id)
        return bool(reading and reading.read_at and reading.read_at >= wish.at)

    @cached_property
    def _last_changes(self) -> dict[tuple[str, str], PastChange]:
        found: dict[tuple[str, str], PastChange] = {}
        for conn_id, changes in self._changes_by_connection.items():
            for change in changes:
                for number_id in (change.number_id, change.previous_number_id):
                    if number_id:
                        found.setdefault((conn_id, number_id), change)
        return found

    @cached_property
    def _changes_by_connection(self) -> dict[str, list[PastChange]]:
        return {conn_id: self._changes_of(conn_id) for conn_id in self.kinds}

    def _changes_of(self, conn_id: str) -> list[PastChange]:
        """Return what was changed over a connection; a change that names none belongs where its number is."""
        fleet = self.readings[conn_id].fleet
        there = {number.id for number in fleet.numbers} if fleet else set()
        return [
            one
            for one in self.changes
            if one.vendor == self.kinds[conn_id]
            and (one.number_id in there if one.conn_id is None else one.conn_id == conn_id)
        ]

    def agent_name(self, conn_id: str, agent_id: str) -> str:
        """Return what people call an agent."""
        fleet = self.readings[conn_id].fleet
        return (fleet and fleet.agent_names.get(agent_id)) or agent_id

    def phone_number(self, conn_id: str, number_id: str) -> str:
        """Return a number's phone number or, where nobody has told it, the id."""
        row = self._by_id.get((conn_id, number_id))
        if row and row.number.phone_number:
            return row.number.phone_number
        changes = self._changes_by_connection[conn_id]
        return next(
            (one.phone_number for one in changes if one.number_id == number_id and one.phone_number),
            number_id,
        )

    @cached_property
    def _by_id(self) -> dict[tuple[str, str], Row]:
        return {(row.connection, row.number.id): row for row in self.rows}

    def changes_of_number(self, conn_id: str, number_id: str) -> list[PastChange]:
        """Return what was changed for a number, the latest first."""
        return [one for one in self._changes_by_connection[conn_id] if one.concerns(number_id)]

    def changes_of_agent(self, conn_id: str, agent_id: str) -> list[PastChange]:
        """Return what was changed for an agent, the latest first."""
        return [one for one in self._changes_by_connection[conn_id] if one.involves(agent_id)]

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

    def unread(self, view: View) -> list[str]:
        """Return the connections of a view of which there is no reading, so that their rows are missing."""
        return [
            conn_id
            for conn_id, reading in self.readings.items()
            if reading.fleet is None and view.covers(conn_id, self.kinds[conn_id])
        ]

    def as_json(self, view: View) -> dict[str, Any]:
        """Return the rows of a view, and how each connection's reading went, as plain data."""
        readings = self.readings.items()
        return {
            "numbers": [row.as_json() for row in view.select(self.rows)],
            "read_at": {id_: one.read_at and one.read_at.isoformat() for id_, one in readings},
            "stale": {id_: one.stale for id_, one in readings},
            "errors": {id_: one.error for id_, one in readings if one.error},
        }
