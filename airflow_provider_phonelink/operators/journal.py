"""
Where a task's journal is kept between its tries.

In an Airflow Variable, because clearing a task does not reach it: a person who clears a task that failed halfway asks
for a later try of it. Airflow 3.3's task state store has what was told, where a worker that dies after the task
succeeded, but before Airflow knows, can still find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.text import clean, is_one_line, listed
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
)
from airflow_provider_phonelink.promises.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from airflow.sdk import BaseOperator, Context
    from typing_extensions import Self

    from airflow_provider_phonelink.promises.journal import Entry

#: How long a Variable's key may be.
_LONGEST_KEY = 250
_KEY = "phonelink_journal"


def open_journal(operator: BaseOperator, context: Context, *, resumes: bool = False) -> TaskJournal:
    """
    Return the journal of a task instance: empty at its first try, and where an operator is executed by hand.

    Open it before anything can go wrong: what an earlier try took from an agent goes back, or is named, also if this
    one has no sound arguments. A later try may be about another number, agent or mode, and so may a mapped one, if what
    it is mapped over changes; so nothing of that is in the key.

    What cannot be read, because somebody edited it or another version wrote it, is ignored with a warning.

    :param resumes: Whether the try goes on after it was deferred, so that its own first part may have left something.
    :raises PhonelinkFailException: If an earlier try had another connection, and what it did is still to be told.
    """
    store = _Store(operator, context, resumes=resumes)
    try:
        journal = TaskJournal(store, store.read())
    except ValueError as error:
        operator.log.warning(
            "The journal of this task's earlier tries cannot be read and is ignored (%s); it is in the Variable %s. "
            "What they took from an agent and did not give on may be with nobody: "
            "`phonelink numbers list --unlinked-only --conn-id %s` shows such numbers.",
            clean(error),
            store.variable,
            clean(store.conn_id),
        )
        return TaskJournal(store, None)
    if store.conn_id_before in (None, store.conn_id):
        return journal
    _demand_the_connection(journal, store)
    return TaskJournal(store, None)


def _demand_the_connection(journal: Journal, store: _Store) -> None:
    """Refuse to forget, or to look for in another organisation, what an earlier try did with another connection."""
    pending = [entry for _, entry in journal if entry.pending]
    if pending:
        raise airflow_exception(
            f"An earlier try of this task used the connection {clean(store.conn_id_before)}, and this one is to use "
            f"{clean(store.conn_id)}. With the earlier one these numbers were changed, or were about to be: "
            f"{_labels(pending, 'of')}. Nothing was sent. Name the earlier connection again and clear the task; or, if "
            f"all is well there, delete the Variable {store.variable}.",
            retry_helps=bool(journal.lent),
        )


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
        Give back what was taken to be handed on if the task fails for good, and name what may be with nobody.

        Such a number is always worth another try. What this try itself began with, its own error may name, and then
        knows better.
        """
        fails = isinstance(error, (PhonelinkFailException, PhonelinkRetryableException))
        for_good = isinstance(error, PhonelinkFailException)
        given_back = self._give_back() if for_good and self.lent else ""
        if fails:
            try:
                self.said()
            except Exception as failed:  # whatever keeps it: the task's own error says more
                self._store.log.warning("The journal could not be kept: %s", clean(failed))
        lent = [
            entry
            for key, entry in self.lent.items()
            if self.written(key) is None or not _names(error, entry.number_id)
        ]
        told = (
            "By this task these numbers were taken from their agents to be given to others, or were about to be, and "
            f"may be with nobody: {_labels(lent, 'from')}. Another try gives them on or back: clear the task if none "
            "comes."
            if lent
            else ""
        )
        if (fails or error is None) and (told or given_back):
            message = " ".join(filter(None, [str(error or ""), given_back, told]))
            raise airflow_exception(message, retry_helps=bool(told) or not for_good) from (
                error and error.__cause__
            )
        if told:  # as where the time is up
            self._store.log.error("%s", told)

    def catch_up(self, hook: Any) -> str:
        """
        See to what earlier tries did to links that this one has not looked at: note what is so, or put it right.

        :param hook: The vendor's.
        :return: What was given back, for a message; empty if nothing was.
        :raises PhonelinkRetryableException: If some of it could not be read or done, and a retry may help.
        :raises PhonelinkFailException: If it could not, and none does.
        """
        if not self.unseen:
            return ""
        from airflow_provider_phonelink.promises.routing import routing_of

        lent, routing = self.lent, routing_of(hook.vendor)
        nothing = hook.run(routing.plan([]))
        report = hook.run(routing.apply(nothing, lambda result: result.log_to(self._store.log), self))
        returned = [
            entry
            for key, entry in lent.items()
            if entry.holder in report.caught_up.get(key, ()) and self.of(key) is None
        ]
        told = (
            "What an earlier try of this task took from agents to hand it on has been given back: "
            f"{_labels(returned, 'to')}."
            if returned
            else ""
        )
        if told:
            self._store.log.warning("%s", told)
        if report.left_undone:
            raise airflow_exception(
                " ".join([told, *map(str, report.left_undone)]).strip(), retry_helps=report.retry_helps
            )
        return told

    def close(self, *, forget: bool = False) -> None:
        """
        End it, once the task has told all that it did.

        :param forget: Leave nothing, not even that it was told.
        """
        if self.is_kept or self._store.found:
            self._store.close(None if forget else self.told())

    def _give_back(self) -> str:
        """Return what came of it, for a message."""
        before = self.copies()
        try:
            with _hook_of(self._store.operator) as hook:
                told = self.catch_up(hook)
        except Exception as error:  # Airflow's, too: the task's own error says more
            return f"Giving back what an earlier try of this task took from agents failed: {clean(error)}"
        self.leave_to_the_next_try(before)
        return told


def _hook_of(operator: Any) -> Any:
    try:
        return operator.hook
    except PhonelinkFailException:  # it refuses an argument, which is not asked for here
        return operator.new_hook()


def _labels(entries: Iterable[Entry], preposition: str) -> str:
    return listed(
        f"{number_label(entry.number_id, entry.phone_number)}, {preposition} "
        f"{agent_label(entry.holder or entry.agent_id)}"
        for entry in entries
    )


def _names(error: BaseException | None, number_id: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(clean(number_id))}(?![\w-])", str(error)))


class _Store:
    """A JSON value of a task instance, whatever try it is."""

    def __init__(self, operator: BaseOperator, context: Context, *, resumes: bool) -> None:
        self.operator, self.log = operator, operator.log
        #: The connection that this try names, and the one that the value is about.
        self.conn_id = str(_conn_id(operator))
        self.conn_id_before: str | None = None
        #: Whether an earlier try left anything, sound or not.
        self.found = False
        self._state: Any = context.get("task_state_store")
        ti = context.get("ti")
        self._goes_on = ti is not None and (resumes or int(ti.try_number) > 1)
        self.variable = _key(ti.dag_id, ti.task_id, str(ti.map_index), str(ti.run_id)) if ti else ""

    def read(self) -> Any:
        """
        Return what an earlier try left, or None.

        The first try reads nothing that is not to be known by a cleared run, too: a run that was deleted and made anew
        has the id of the one before.

        :raises ValueError: If it is no JSON, or does not say which connection it is about.
        """
        if not self.variable or not self._goes_on:
            return None
        kept = self._in_variable() or (self._state.get(_KEY) if self._state is not None else None)
        self.found = self.found or bool(kept)
        if isinstance(kept, Mapping):
            self.conn_id_before = kept.get("conn_id")
            if kept and not is_one_line(self.conn_id_before):
                raise ValueError("it does not say which connection it is about")
        return kept or None

    def write(self, value: dict[str, Any] | None) -> None:
        """Leave a value to later tries."""
        if not self.variable:
            return
        if value is None:
            self._delete()
        else:
            self._set({**value, "conn_id": self.conn_id})

    def close(self, value: dict[str, Any] | None) -> None:
        """Leave what is to be known of a task that succeeded."""
        if self._state is not None:
            from airflow.sdk.execution_time.context import NEVER_EXPIRE

            # A store does not take None.
            told = {**value, "conn_id": self.conn_id} if value else {}
            self._state.set(_KEY, told, retention=NEVER_EXPIRE)
        if self.variable:
            self._delete()

    def _in_variable(self) -> Any:
        from airflow.sdk import Variable

        text = Variable.get(self.variable, default="")
        self.found = bool(text)
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


def _conn_id(operator: Any) -> Any:
    """Return the connection that an operator names, of whichever vendor."""
    return getattr(operator, next(name for name in operator.template_fields if name.endswith("_conn_id")))


def _key(dag_id: str, task_id: str, *rest: str) -> str:
    """Return a key that people can tell to be a task's, and that fits whatever the ids are."""
    digest = sha256(json.dumps([dag_id, task_id, *rest]).encode()).hexdigest()[:32]
    return f"{_KEY}__{dag_id}__{task_id}"[: _LONGEST_KEY - len(digest) - 2] + f"__{digest}"
