"""
Where the memory of an agent's rotations is kept: in an Airflow Variable, one for each connection and agent.

A clear does not reach it, every Airflow that this package supports has it, and people can read and correct it there.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.text import visible
from airflow_provider_phonelink.decisions.rotation_memory import Memory

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

_KEY = "phonelink_rotation"
#: How long a Variable's key may be.
_LONGEST_KEY = 250


class KeptMemory:
    """
    The memory of one agent's rotations.

    Where an operator is executed by hand, without a task instance, nothing is read and nothing is kept.
    """

    def __init__(self, operator: BaseOperator, context: Context, conn_id: str, agent_id: str) -> None:
        self._log = operator.log
        self.variable = variable_of(conn_id, agent_id) if context.get("ti") else ""
        self._kept = Memory()

    def read(self, at: datetime) -> Memory:
        """
        Return the memory. One that cannot be read, because somebody edited it, counts as lost; a warning says so.

        :param at: When this run was due. Times after it and after the present are corrected, with a warning.
        """
        if not self.variable:
            return Memory()
        from airflow.sdk import Variable

        text = Variable.get(self.variable, default="")
        if not text:
            return Memory()
        try:
            self._kept = Memory.from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            self._log.warning(
                "The memory of this agent's rotations cannot be read (%s). This run chooses as if no number but the "
                "one in use had been used. It is in the Variable %s, and is written anew: %s",
                error,
                self.variable,
                visible(text[:2000]),
            )
        found = self._kept.until(max(at, datetime.now(timezone.utc)), at)
        if found != self._kept:
            self._log.warning(
                "The memory of this agent's rotations, the Variable %s, has times that are still to come: somebody "
                "edited it, or a clock is wrong. Each counts as the time at which its number came into use, or as the "
                "present, and is corrected.",
                self.variable,
            )
        return found

    def keep(self, memory: Memory) -> None:
        """Keep the memory, if it has changed."""
        if not self.variable or memory == self._kept:
            return
        from airflow.sdk import Variable

        Variable.set(
            self.variable,
            json.dumps(memory.as_json(), ensure_ascii=False),
            description="Which numbers an agent has called out with, for its next rotation",
        )
        self._kept = memory


def variable_of(conn_id: str, agent_id: str) -> str:
    """Return the key of the Variable: readable, and another one for each connection and agent."""
    key = f"{_KEY}__{conn_id}__{agent_id}"
    # The id that a "_" beside the "__" belongs to could not be told.
    is_told = key.count("__") == 2 and "___" not in key
    if len(key) <= _LONGEST_KEY and re.fullmatch(r"[\w.-]+", key, re.ASCII) and is_told:
        return key
    digest = sha256(json.dumps([conn_id, agent_id]).encode()).hexdigest()[:32]
    readable = re.sub(r"[^\w.-]", "_", key, flags=re.ASCII)
    return f"{readable[: _LONGEST_KEY - len(digest) - 2]}__{digest}"
