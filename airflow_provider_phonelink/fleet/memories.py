"""
What rotations remember: a history that outlives the results of tasks, which are removed by and by.

Only what a run has done is taken from it. The Variable's key names connection and agent; where that would not make a
key, it has a digest in it instead, and the page does not know whose memory it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_phonelink.decisions.rotation_memory import Memory, State
from airflow_provider_phonelink.fleet.changes import Origin, PastChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MEMORIES_KEY = "phonelink_rotation"


class Remembered(NamedTuple):
    """The memory of one agent."""

    conn_id: str
    agent_id: str
    memory: Memory


def parsed(key: str, text: str) -> Remembered | None:
    """Return the memory in a Variable; None if it cannot be read, or if the key does not tell whose it is."""
    prefix, *whose = key.split("__")
    try:
        conn_id, agent_id = whose
        memory = Memory.from_json(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return Remembered(conn_id, agent_id, memory) if prefix == MEMORIES_KEY else None


def changes_of(
    memories: Iterable[Remembered], kinds: Mapping[str, str], told: Iterable[PastChange]
) -> list[PastChange]:
    """
    Return the changes that rotations remember, without those that their tasks have told.

    :param kinds: The types of connections; a memory of any other is left out.
    """
    known = {_identity(change) for change in told}
    found = [
        PastChange(
            at=use.since,
            vendor=kinds[conn_id],
            conn_id=conn_id,
            number_id=use.number_id,
            phone_number=use.phone_number,
            mode="outbound",
            agent_id=agent_id,
            previous_number_id=use.previous,
            origin=Origin(use.run.dag_id, use.run.run_id, use.run.task_id),
        )
        for conn_id, agent_id, memory in memories
        if conn_id in kinds
        for use in memory.uses
        if use.run and use.state is State.DONE and use.previous != use.number_id
    ]
    return [change for change in found if _identity(change) not in known]


def _identity(change: PastChange) -> tuple[object, ...]:
    return change.vendor, change.number_id, change.agent_id, change.origin and change.origin[:3]
