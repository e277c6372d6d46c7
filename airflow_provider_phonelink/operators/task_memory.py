"""What a run knows that its next try has to know, too."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

#: How many runs a Variable remembers, before Airflow 3.3.
_RUNS_REMEMBERED = 50
#: How long a Variable's key may be.
_LONGEST_KEY = 250


class TaskMemory:
    """
    A JSON value that belongs to one task instance, whatever try it is.

    From Airflow 3.3 on it is in the task state store, which lives as long as the run. Before, there is no such
    place: a Variable for each task remembers its latest runs. An operator that is executed by hand, as a unit test
    does, has no other tries, and nothing is kept.

    :param key: What the value is, in a word.
    """

    def __init__(self, context: Context, key: str) -> None:
        self._store: Any = context.get("task_state_store")
        self._key = f"phonelink_{key}"
        ti = context.get("ti")
        self._run_id = str(ti.run_id) if ti else None
        self._variable = _short(f"{self._key}__{ti.dag_id}__{ti.task_id}__{ti.map_index}") if ti else ""

    def read(self) -> Any:
        """Return what an earlier try left, or None."""
        if self._store is not None:
            return self._store.get(self._key)
        return self._remembered().get(self._run_id) if self._run_id else None

    def write(self, value: Any) -> None:
        """Leave a value to later tries; None when there is nothing to know any more."""
        if self._store is not None:
            from airflow.sdk.execution_time.context import NEVER_EXPIRE

            # A store does not take None.
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
    """Return a key that fits where a long DAG id and a long task id together do not."""
    if len(key) <= _LONGEST_KEY:
        return key
    digest = sha256(key.encode()).hexdigest()
    return f"{key[: _LONGEST_KEY - len(digest) - 2]}__{digest}"
