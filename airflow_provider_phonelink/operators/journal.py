"""
Where a task's journal is kept between its tries.

In an Airflow Variable, because clearing a task does not reach it: a person who clears a task that failed halfway asks
for a later try of it. Airflow 3.3's task state store has it, too, where a worker that dies after the task succeeded,
but before Airflow knows, can still find what was told.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.text import clean, listed
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.promises.journal import Journal

if TYPE_CHECKING:
    from types import TracebackType

    from airflow.sdk import BaseOperator, Context
    from typing_extensions import Self

#: How long a Variable's key may be.
_LONGEST_KEY = 250
_KEY = "phonelink_journal"


def open_journal(
    operator: BaseOperator, context: Context, conn_id: str, *subject: str, resumes: bool = False
) -> TaskJournal:
    """
    Return the journal of a task in its run: empty at its first try, and where an operator is executed by hand.

    What cannot be read, because somebody edited it or another version wrote it, is ignored with a warning.

    :param subject: What the task is about besides its connection, such as a number: mapped tasks keep apart by it, and
        not by their index, which changes when what they are mapped over changes.
    :param resumes: Whether the try goes on after it was deferred, so that its own first part may have left something.
    :raises PhonelinkFailException: If the connection's id is no text, as a template may make it.
    """
    with as_airflow_exceptions():
        hook: Any = operator.hook  # type: ignore[attr-defined] # all operators with a journal have one
        arguments.present(hook.conn_name_attr, conn_id)
    store = _Store(operator, context, (conn_id, *subject), resumes=resumes)
    try:
        return TaskJournal(store, store.read())
    except ValueError as error:
        operator.log.warning(
            "The journal of this task's earlier tries cannot be read and is ignored (%s); it is in the Variable %s. "
            "What they took from an agent and did not give on may be with nobody: "
            "`phonelink numbers list --unlinked-only --conn-id %s` shows such numbers.",
            clean(error),
            store.variable,
            clean(conn_id),
        )
        return TaskJournal(store, None)


class TaskJournal(Journal):
    """A journal that is kept in Airflow."""

    def __init__(self, store: _Store, kept: object) -> None:
        super().__init__(kept, store.write)
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Let an error name the numbers that may be without an agent, and note that the task has said what it says.

        A number that an earlier try took from its agent is always worth another try.
        """
        if not isinstance(error, (PhonelinkFailException, PhonelinkRetryableException)):
            return
        self.said()
        unnamed = [entry for entry in self.lent if entry.number_id not in str(error)]
        if unnamed:
            told = listed(
                f"{number_label(entry.number_id, entry.phone_number)}, from {agent_label(entry.holder)}"
                for entry in unnamed
            )
            raise airflow_exception(
                f"{error} By an earlier try of this task these numbers were taken from their agents to be given to "
                f"others, and may be with nobody: {told}.",
                retry_helps=True,
            ) from error.__cause__

    def close(self, *, forget: bool = False) -> None:
        """
        End it, once the task has told all that it did.

        :param forget: Leave nothing, not even that it was told.
        """
        if self.is_kept:
            self._store.close(None if forget else self.told())


class _Store:
    """A JSON value of a task instance, whatever try it is."""

    def __init__(
        self, operator: BaseOperator, context: Context, subject: tuple[str, ...], *, resumes: bool
    ) -> None:
        self._log = operator.log
        self._state: Any = context.get("task_state_store")
        ti = context.get("ti")
        self._goes_on = ti is not None and (resumes or int(ti.try_number) > 1)
        self.variable = _key(ti.dag_id, ti.task_id, *subject, str(ti.run_id)) if ti else ""

    def read(self) -> Any:
        """
        Return what an earlier try left, or None.

        The first try reads nothing that is not to be known by a cleared run, too: a run that was deleted and made anew
        has the id of the one before.

        :raises ValueError: If it is no JSON.
        """
        if not self.variable or not self._goes_on:
            return None
        kept = self._state.get(_KEY) if self._state is not None else None
        return kept or self._in_variable()

    def write(self, value: dict[str, Any] | None) -> None:
        """Leave a value to later tries."""
        self._in_state(value)
        if not self.variable:
            return
        if value is None:
            self._delete()
        else:
            self._set(value)

    def close(self, value: dict[str, Any] | None) -> None:
        """Leave what is to be known of a task that succeeded."""
        self._in_state(value)
        if self.variable:
            self._delete()

    def _in_state(self, value: dict[str, Any] | None) -> None:
        if self._state is None:
            return
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        self._state.set(_KEY, value or {}, retention=NEVER_EXPIRE)  # a store does not take None

    def _in_variable(self) -> Any:
        from airflow.sdk import Variable

        text = Variable.get(self.variable, default="")
        try:
            return (json.loads(text) if text else None) or None
        except RecursionError:
            raise ValueError("it is nested too deeply") from None

    def _set(self, value: dict[str, Any]) -> None:
        from airflow.sdk import Variable

        Variable.set(self.variable, json.dumps(value), description="What a task leaves to its later tries")

    def _delete(self) -> None:
        from airflow.sdk import Variable

        # Emptied first: what is told must not be told again where it cannot be deleted.
        Variable.set(self.variable, "{}")
        Variable.delete(self.variable)


def _key(dag_id: str, task_id: str, *rest: str) -> str:
    """Return a key that people can tell to be a task's, and that fits whatever the ids are."""
    digest = sha256(json.dumps([dag_id, task_id, *rest]).encode()).hexdigest()[:32]
    return f"{_KEY}__{dag_id}__{task_id}"[: _LONGEST_KEY - len(digest) - 2] + f"__{digest}"
