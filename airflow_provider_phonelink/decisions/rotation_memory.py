"""
What is remembered of an agent's rotations: which number was in use from when to when, and which run chose it.

A memory is a value: each function returns a new one. It is kept as JSON that people can read and correct.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from math import isfinite
from typing import Any

from airflow_provider_phonelink.api.text import clean, is_one_line, visible
from airflow_provider_phonelink.api.uuids import plain_id

VERSION = 1
#: How many uses are remembered. The last use of each further number is remembered as well, up to :data:`MOST_NUMBERS`.
MOST_USES = 200
MOST_NUMBERS = 1000


class State(str, Enum):
    """How certain it is that a number has been in use."""

    #: A run chose it, and linked it unless it failed first.
    CHOSEN = "chosen"
    #: The run that chose it has succeeded.
    DONE = "done"
    #: It was in use when a run looked, and no run had chosen it.
    SEEN = "seen"


@dataclass(frozen=True)
class Run:
    """A task of a DAG run, whichever try it is."""

    dag_id: str
    task_id: str
    run_id: str
    #: When the run was due (Airflow's ``run_after``), which no retry or clear changes.
    at: datetime

    def is_same(self, other: Run | None) -> bool:
        """Return whether both are the same task of the same DAG run."""
        return other is not None and self._key == other._key

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.dag_id, self.task_id, self.run_id

    def __str__(self) -> str:
        return visible(f"{self.run_id} of the DAG {self.dag_id}")


@dataclass(frozen=True)
class Use:
    """A time in which the agent called out with one number."""

    number_id: str
    since: datetime
    #: None as long as it is in use.
    until: datetime | None = None
    phone_number: str | None = None
    #: The run that chose it; None if somebody else did.
    run: Run | None = None
    #: The number that was in use before that run; None if it was not known.
    previous: str | None = None
    state: State = State.SEEN
    #: For the strategy ``weighted``: when the number's turn began, in a time in which one use takes 1 / weight. It
    #: outlives the uses before it, by which it was counted. None if the number came by another strategy.
    turn: float | None = None


@dataclass(frozen=True)
class Decision:
    """What the last run that decided has decided: another number, or to keep the one in use."""

    run: Run
    number_id: str


@dataclass(frozen=True)
class Memory:
    """The uses of one agent's numbers, in their order in time."""

    uses: tuple[Use, ...] = ()
    decision: Decision | None = None

    @property
    def current(self) -> str | None:
        """The number that is in use, as far as it is remembered."""
        return self.uses[-1].number_id if self.uses and self.uses[-1].until is None else None

    def last_uses(self) -> dict[str, Use]:
        """Return each number's last use, the one that began first in front."""
        found: dict[str, Use] = {}
        for use in self.uses:
            found.pop(use.number_id, None)
            found[use.number_id] = use
        return found

    def counts(self) -> dict[str, int]:
        """Return how many uses of each number are remembered."""
        found: dict[str, int] = {}
        for use in self.uses:
            found[use.number_id] = found.get(use.number_id, 0) + 1
        return found

    def kept_by(self, run: Run | None) -> str | None:
        """Return the number that an earlier try of this run decided on, if no other run has chosen one since."""
        if run and self.decision and run.is_same(self.decision.run):
            return self.decision.number_id
        last = self._last_chosen()
        return last.number_id if last and run and run.is_same(last.run) else None

    def later_than(self, run: Run | None) -> Run | None:
        """Return the run that chose last, if the given one is older; one that kept the number does not count."""
        last = self._last_chosen()
        if run is None or last is None or last.run is None or run.is_same(last.run):
            return None
        has_had_its_turn = any(run.is_same(use.run) for use in self.uses)
        return last.run if run.at < last.run.at or has_had_its_turn else None

    def _last_chosen(self) -> Use | None:
        """Return the use by the run that was due last, or of several due at that time, by the one that chose last."""
        chosen = [use for use in self.uses if use.run]
        return max(reversed(chosen), key=lambda use: use.run.at if use.run else use.since, default=None)

    @property
    def is_full(self) -> bool:
        """Whether uses of further numbers may have been forgotten."""
        return len(self.uses) >= MOST_NUMBERS

    def latest(self, at: datetime) -> datetime:
        """Return when the last run was due, of one that is due at a given time and those that are remembered."""
        runs = [use.run for use in self.uses] + [self.decision.run if self.decision else None]
        return max([at, *(run.at for run in runs if run)])

    def until(self, present: datetime, at: datetime) -> Memory:
        """
        Return the memory without times that are still to come.

        They would make each run until then look older than the last one, or hold a number back, or in use.

        :param present: The present, by the clock.
        :param at: When the run was due that asks, the time for which nothing better is known.
        """

        def due(run: Run, since: datetime) -> Run:
            return run if run.at <= present else replace(run, at=since if since <= present else at)

        uses = tuple(replace(use, run=use.run and due(use.run, use.since)) for use in self.uses)
        decision = self.decision
        if decision:
            since = max((use.since for use in uses if decision.run.is_same(use.run)), default=at)
            decision = replace(decision, run=due(decision.run, since))
        found = replace(self, uses=uses, decision=decision)
        last = found.latest(at)

        def moment(told: datetime) -> datetime:
            return told if told <= present else last

        return replace(
            found,
            uses=tuple(
                replace(use, since=moment(use.since), until=use.until and moment(use.until)) for use in uses
            ),
        )

    def in_order(self, at: datetime) -> Memory:
        """
        Return the memory without slips of somebody who edited it.

        :param at: The present. A later time is no time at which a number can have been in use: it would hold the number
            back, or in use, until then.
        """
        uses = [
            replace(use, since=min(use.since, at), until=use.until and min(use.until, at))
            for use in self.uses
        ]
        return replace(self, uses=_in_time(uses))

    def seen(self, number_id: str | None, at: datetime) -> Memory:
        """
        Return the memory after a look.

        :param number_id: The number that is in use; None if it is none of those that are known.
        """
        *before, last = self.uses or (None,)
        if number_id is None:
            ended = last and replace(last, until=last.until or self._not_before(at))
            return replace(self, uses=(*before, ended)) if ended else self
        if last and last.number_id == number_id:
            return replace(self, uses=(*before, replace(last, until=None)))
        if last and last.state is State.CHOSEN and before and before[-1].number_id == number_id:
            # The last choice was never linked, or the number before it was put back. Nobody knows, so it has been used.
            ended = replace(last, until=self._not_before(at))
            return replace(self, uses=(*before[:-1], ended, replace(before[-1], until=None)))
        return self._with(Use(number_id, self._not_before(at)))

    def choosing(
        self,
        number_id: str,
        run: Run | None,
        at: datetime,
        *,
        phone_number: str | None = None,
        previous: str | None = None,
        turn: float | None = None,
    ) -> Memory:
        """Return the memory with a number that a run is about to link."""
        use = Use(number_id, self._not_before(at), None, phone_number, run, previous, State.CHOSEN, turn)
        # An earlier try of this run may have chosen it, and it does not show that it was linked.
        earlier = [
            one
            for one in self.uses[-2:]
            if one.state is State.CHOSEN
            and one.number_id == number_id
            and run
            and run.is_same(one.run)
            # Not if somebody else set another number after it.
            and (one is self.uses[-1] or self.uses[-1].since <= one.since)
        ]
        if earlier:
            use = replace(use, since=earlier[0].since, turn=earlier[0].turn if turn is None else turn)
        others = replace(self, uses=tuple(one for one in self.uses if one not in earlier))
        return others._with(use)._decided(run, number_id)

    def keeping(self, number_id: str, run: Run | None) -> Memory:
        """Return the memory with a run's decision to keep the number in use."""
        return self._decided(run, number_id)

    def done_by(self, run: Run | None) -> Memory:
        """Return the memory after a run has succeeded."""
        if run is None:
            return self
        return replace(
            self,
            uses=tuple(replace(use, state=State.DONE) if run.is_same(use.run) else use for use in self.uses),
        )

    def use_by(self, run: Run | None, number_id: str | None = None) -> Use | None:
        """Return the last use, of all or of one number, if this run chose it."""
        last = next((use for use in reversed(self.uses) if number_id in (None, use.number_id)), None)
        return last if last and run and run.is_same(last.run) else None

    def _decided(self, run: Run | None, number_id: str) -> Memory:
        if run is None:
            return self
        if self.decision and run.at < self.decision.run.at:
            # A failover may act for an older run, and that must not make the later one look older.
            run = self.decision.run
        return replace(self, decision=Decision(run, number_id))

    def _not_before(self, at: datetime) -> datetime:
        """Return when a use begins: not before what is remembered, even if its run was due earlier."""
        return max([self.latest(at), *(use.since for use in self.uses[-1:])])

    def _with(self, use: Use) -> Memory:
        before = list(self.uses)
        if before and before[-1].until is None:
            before[-1] = replace(before[-1], until=use.since)
        return replace(self, uses=_bounded([*before, use]))

    def as_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return {
            "version": VERSION,
            "uses": [_use_as_json(use) for use in self.uses],
            "decision": self.decision
            and {"run": _run_as_json(self.decision.run), "number_id": self.decision.number_id},
        }

    @classmethod
    def from_json(cls, value: object) -> Memory:
        """
        Read what :meth:`as_json` returned.

        :raises ValueError: If it is anything else, as after a slip of somebody who corrected it.
        """
        if not isinstance(value, Mapping) or value.get("version") != VERSION:
            raise ValueError("it is of another version, or was edited")
        try:
            uses = [_use(item) for item in value["uses"]]
            decided = value.get("decision")
            decision = Decision(_run(decided["run"]), _id(decided["number_id"])) if decided else None
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"it is not in the form in which it was kept ({clean(repr(error))})") from None
        return cls(_bounded(uses), decision)


def _in_time(uses: list[Use]) -> tuple[Use, ...]:
    """Return uses in the order in which they began, as they are unless somebody added one elsewhere."""
    *_, last = uses or (None,)
    # The number in use is the last one, even if it was put back after a later one (see Memory.seen).
    is_in_use = last is not None and last.until is None
    is_last = is_in_use and not any(use.until is None and last and use.since > last.since for use in uses)
    before = uses[:-1] if is_last else uses
    return (*sorted(before, key=lambda use: use.since), *([last] if is_last and last else []))


def _bounded(uses: list[Use]) -> tuple[Use, ...]:
    """Drop the oldest uses, but not a number's last one as long as there is room for it."""
    recent = uses[-MOST_USES:]
    older = Memory(tuple(uses[:-MOST_USES])).last_uses()
    for use in recent:
        older.pop(use.number_id, None)
    last_ones = list(older.values())
    return (*last_ones[-(MOST_NUMBERS - MOST_USES) :], *recent)


def _use_as_json(use: Use) -> dict[str, Any]:
    found: dict[str, Any] = {"number_id": use.number_id}
    if use.phone_number:
        found["phone_number"] = visible(use.phone_number)  # as one line, whatever the vendor says
    found["since"] = use.since.isoformat()
    if use.until:
        found["until"] = use.until.isoformat()
    if use.run:
        found["run"] = _run_as_json(use.run)
    if use.previous:
        found["previous"] = use.previous
    found["state"] = use.state.value
    return found if use.turn is None else {**found, "turn": use.turn}


def _run_as_json(run: Run) -> dict[str, str]:
    return {"dag_id": run.dag_id, "task_id": run.task_id, "run_id": run.run_id, "at": run.at.isoformat()}


def _use(value: Mapping[str, Any]) -> Use:
    return Use(
        _id(value["number_id"]),
        _moment(value["since"]),
        _moment(value["until"]) if value.get("until") else None,
        _text(value["phone_number"]) if value.get("phone_number") else None,
        _run(value["run"]) if value.get("run") else None,
        _id(value["previous"]) if value.get("previous") else None,
        State(value.get("state", State.SEEN)),
        _number(value["turn"]) if value.get("turn") is not None else None,
    )


def _run(value: Mapping[str, Any]) -> Run:
    return Run(_text(value["dag_id"]), _text(value["task_id"]), _text(value["run_id"]), _moment(value["at"]))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a text is missing")
    if not is_one_line(value):
        raise ValueError(
            "a text is too long, or has line breaks, control characters or half characters in it"
        )
    return value


def _id(value: object) -> str:
    """Return an id in the case in which the vendor's answers have it, whoever wrote it."""
    return plain_id(_text(value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise TypeError("a turn is no number")
    return float(value)


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value).replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    found.astimezone(timezone.utc)  # raises an OverflowError at the ends of time
    return found
