"""What one try of a task has to leave to the next try."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

#: How many runs a Variable keeps, before Airflow 3.3.
_RUNS_REMEMBERED = 50
#: The longest key that a Variable may have.
_LONGEST_KEY = 250


class TaskMemory:
    """
    A JSON value that all tries of a task instance share.

    From Airflow 3.3 on it is kept in the task state store, which lives as long as the run. Before that, a Variable
    for each task keeps the values of its latest runs. An operator that is executed by hand, as in a unit test, has no
    other tries, so nothing is kept.

    :param key: The name of the value.
    """

    def __init__(self, context: Context, key: str) -> None:
        self._store: Any = context.get("task_state_store")
        self._key = f"phonelink_{key}"
        ti = context.get("ti")
        self._run_id = str(ti.run_id) if ti else None
        self._variable = _short(f"{self._key}__{ti.dag_id}__{ti.task_id}__{ti.map_index}") if ti else ""

    def read(self) -> Any:
        """Return the value that an earlier try stored; None if there is none."""
        if self._store is not None:
            return self._store.get(self._key)
        return self._remembered().get(self._run_id) if self._run_id else None

    def write(self, value: Any) -> None:
        """Store a value for later tries; None if later tries need nothing any more."""
        if self._store is not None:
            from airflow.sdk.execution_time.context import NEVER_EXPIRE

            # The store does not accept None.
            self._store.set(self._key, {} if value is None else value, retention=NEVER_EXPIRE)
        elif self._run_id:
            self._remember(self._run_id, value)

    def _remember(self, this_run: str, value: Any) -> None:
        from airflow.sdk import Variable

        remembered = {run_id: kept for run_id, kept in self._remembered().items() if run_id != this_run}
        if value is not None:
            remembered[this_run] = value
        latest = dict(list(remembered.items())[-_RUNS_REMEMBERED:])
        Variable.set(self._variable, json.dumps(latest), description="What runs have to remember (phonelink)")

    def _remembered(self) -> dict[str, Any]:
        from airflow.sdk import Variable

        try:
            remembered = json.loads(Variable.get(self._variable, default="{}"))
        except ValueError:
            return {}
        return remembered if isinstance(remembered, dict) else {}


def _short(key: str) -> str:
    """Return a key that is short enough even if the DAG id and the task id are long."""
    if len(key) <= _LONGEST_KEY:
        return key
    digest = sha256(key.encode()).hexdigest()
    return f"{key[: _LONGEST_KEY - len(digest) - 2]}__{digest}"
