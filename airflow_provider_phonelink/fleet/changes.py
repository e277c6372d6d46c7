"""What tasks have done to links: changes, and the spans of time for which a number and an agent were linked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_provider_phonelink.api.text import is_one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)
_TEXTS = ("conn_id", "phone_number", "mode", "agent_id", "previous_agent_id", "previous_number_id")


class Origin(NamedTuple):
    """The task that made a change."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


@dataclass(frozen=True, kw_only=True)
class PastChange:
    """A change of a link, as a task told it."""

    #: When the task told it, with a time zone.
    at: datetime
    vendor: str
    #: The connection of the task; None if an older version told it.
    conn_id: str | None = None
    number_id: str
    phone_number: str | None = None
    mode: str | None = None
    #: The agent that had the number afterwards; None for nobody.
    agent_id: str | None = None
    previous_agent_id: str | None = None
    #: The number that the agent called out with before.
    previous_number_id: str | None = None
    #: None if whoever looks may not know.
    origin: Origin | None = None

    @property
    def inbound(self) -> bool:
        """Whether it is about who answers the number, rather than who calls out with it."""
        return self.mode == "inbound"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = {"at": self.at.isoformat(), "vendor": self.vendor, "number_id": self.number_id}
        told.update((name, getattr(self, name)) for name in _TEXTS)
        return {**told, "origin": self.origin and self.origin._asdict()}

    def concerns(self, number_id: str) -> bool:
        """Whether it changed something for a number."""
        return number_id in (self.number_id, self.previous_number_id)

    def involves(self, agent_id: str) -> bool:
        """Whether it changed something for an agent."""
        return agent_id in (self.agent_id, self.previous_agent_id)


def parsed(told: Any, at: datetime, origin: Origin | None) -> list[PastChange]:
    """
    Return the changes that a task told; what is of another form is left out, since anybody may write XComs.

    :param told: One change or a list of them, as plain data.
    """
    found = []
    for one in told if isinstance(told, list) else [told]:
        if not isinstance(one, dict) or not one.get("changed") or one.get("changes", 1) != 1:
            continue  # an event of several changes says only what they have in common
        texts = {name: one.get(name) for name in _TEXTS}
        vendor, number_id = one.get("vendor"), one.get("number_id")
        if not (is_one_line(vendor) and is_one_line(number_id)):
            continue
        if all(value is None or is_one_line(value) for value in texts.values()):
            found.append(PastChange(at=at, vendor=vendor, number_id=number_id, origin=origin, **texts))
    return found


def merged(changes: Iterable[PastChange]) -> list[PastChange]:
    """Return changes with the latest first, each once although a task may tell it in two places."""
    known: dict[PastChange, PastChange] = {}
    for change in sorted(changes, key=lambda change: change.at):
        known.setdefault(replace(change, at=_NO_TIME) if change.origin else change, change)
    return sorted(known.values(), key=lambda change: change.at, reverse=True)


def anonymous(changes: Iterable[PastChange], permitted: Collection[str]) -> list[PastChange]:
    """Return changes without the tasks of DAGs that somebody may not see."""
    return [
        change if change.origin is None or change.origin.dag_id in permitted else replace(change, origin=None)
        for change in changes
    ]


class Lane(NamedTuple):
    """One of several things that took turns: a number of an agent, or an agent of a number."""

    #: Whether the agent answers the number, rather than calling out with it.
    inbound: bool
    #: The number's or the agent's id.
    id: str


class Span(NamedTuple):
    """For how long a link was there."""

    lane: Lane
    #: None if it was there before the first change that is known.
    begin: datetime | None
    #: None if no task told of its end.
    end: datetime | None
    #: ``past``; ``now``, for a link that is there; ``lost``, for one that is gone although no task told of its end; or
    #: ``found``, for one that is there although no task told of it since ``begin``.
    kind: Literal["past", "now", "lost", "found"]


def spans_of_agent(
    changes: Sequence[PastChange], agent_id: str, linked: Collection[Lane], read_at: datetime | None = None
) -> list[Span]:
    """
    Return when an agent had which numbers.

    :param linked: Those that it has.
    :param read_at: When these were read: what a task told since then is newer. None for now.
    """
    steps: list[_Step] = []
    for change in changes:
        if not change.involves(agent_id) or change.mode is None:
            continue
        if change.agent_id == agent_id:
            steps.append(_Step(change.at, Lane(change.inbound, change.number_id), True))
            if change.previous_number_id:
                steps.append(_Step(change.at, Lane(change.inbound, change.previous_number_id), False))
        else:
            steps.append(_Step(change.at, Lane(change.inbound, change.number_id), False))
    return _spans(steps, linked, read_at)


def spans_of_number(
    changes: Sequence[PastChange], number_id: str, linked: Collection[Lane], read_at: datetime | None = None
) -> list[Span]:
    """
    Return when a number had which agents.

    :param linked: Those that have it.
    :param read_at: When these were read: what a task told since then is newer. None for now.
    """
    steps: list[_Step] = []
    for change in changes:
        if change.mode is None:
            continue
        if change.number_id == number_id:
            if change.agent_id:
                steps.append(_Step(change.at, Lane(change.inbound, change.agent_id), True))
            if change.previous_agent_id:
                steps.append(_Step(change.at, Lane(change.inbound, change.previous_agent_id), False))
        elif change.previous_number_id == number_id and change.agent_id:
            steps.append(_Step(change.at, Lane(change.inbound, change.agent_id), False))
    return _spans(steps, linked, read_at)


class _Step(NamedTuple):
    at: datetime
    lane: Lane
    begins: bool


def _spans(steps: Sequence[_Step], linked: Collection[Lane], read_at: datetime | None) -> list[Span]:
    newer = {step.lane for step in steps if read_at and step.at >= read_at}
    open_since: dict[Lane, datetime | None] = {}
    ended: dict[Lane, datetime] = {}
    done: list[Span] = []
    # At the same moment, what ends comes before what begins.
    for at, lane, begins in sorted(steps, key=lambda step: (step.at, step.begins)):
        if begins:
            open_since.setdefault(lane, at)
        elif lane in open_since or lane not in ended:
            done.append(Span(lane, open_since.pop(lane, None), at, "past"))
            ended[lane] = at
    for lane in linked:
        if lane in newer and lane not in open_since:
            continue
        found = lane in ended and lane not in open_since
        begin = ended[lane] if found else open_since.pop(lane, None)
        done.append(Span(lane, begin, None, "found" if found else "now"))
    return done + [
        Span(lane, begin, None, "now" if lane in newer else "lost") for lane, begin in open_since.items()
    ]
