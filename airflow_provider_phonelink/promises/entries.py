"""The entries of a journal, and how they are read: see :mod:`airflow_provider_phonelink.promises.journal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Protocol

from airflow_provider_phonelink.api.text import is_one_line, visible
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.links import INBOUND

VERSION = 1


class AgentWithPrimary(Protocol):
    """An agent that may have a primary number."""

    @property
    def id(self) -> str:
        """The agent's id."""

    @property
    def primary_number_id(self) -> str | None:
        """The id of its primary number."""

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that the answer named."""


class State(str, Enum):
    """How far a task has come with a link."""

    #: About to be written: it may or may not have been done.
    INTENDED = "intended"
    #: Seen to be so after the write.
    DONE = "done"
    #: Somebody else changed it after that, and the task failed and said so: the next try may do it again.
    CONTESTED = "contested"
    #: The task succeeded and told of it.
    TOLD = "told"


@dataclass
class Entry:
    """What a task does to one link, and what was true before."""

    number_id: str
    #: In the vendor's words; None where an agent's type is not told.
    mode: str | None = None
    #: Who is to have the number; None for nobody. For an outbound link, the agent that is to get or lose it.
    agent_id: str | None = None
    #: Agents that the task took the number from, or was about to, in order.
    losers: list[str] = field(default_factory=list)
    #: The agent that had the number at the last look before a write.
    seen: str | None = None
    #: For an agent's one outbound number: the number before, if known.
    previous_number_id: str | None = None
    phone_number: str | None = None
    #: Whether the number is taken from an agent only to be handed on: it goes back if it cannot be.
    lent: bool = False
    #: The agents' primary numbers before (CallingBox): agent id to number id.
    primaries: dict[str, str] = field(default_factory=dict)
    #: Whether an outbound link is taken away rather than made.
    removes: bool = False
    state: State = State.INTENDED

    @property
    def holder(self) -> str | None:
        """The agent that had the number before."""
        return self.losers[-1] if self.losers else None

    @property
    def pending(self) -> bool:
        """Whether a try of the task did this, or may have done it, without having told of it."""
        return self.state in (State.INTENDED, State.DONE)

    @property
    def is_done(self) -> bool:
        """Whether it was seen to be done, and nobody was told of it."""
        return self.state is State.DONE

    def gave_to(self, agent: str | None) -> bool:
        """Return whether an agent that has the number may have it from the task."""
        return agent is not None and (
            agent == self.agent_id or (agent == self.seen and agent not in self.losers)
        )

    def explains(self, now: str | None) -> bool:
        """
        Return whether an agent's having the number shows no act of anybody else.

        Unless the link was seen to be made, the agent before may have it still, or once more if it only lent it.
        """
        if now in (None, self.agent_id):
            return True
        return not self.is_done and (now == self.seen or (self.lent and now == self.holder))

    def settle(self, now: str | None) -> bool:
        """
        Note that it is done, and who has the number now.

        :return: Whether anything is otherwise than before the task.
        """
        self.state = State.DONE
        if self.mode != INBOUND:
            return self.removes or self.previous_number_id != self.number_id
        wanted, before = self.agent_id, self.losers
        self.agent_id, self.seen, self.losers = now, None, [loser for loser in before if loser != now]
        return bool(self.losers) or (not before and now is not None and now == wanted)

    def saw(self, agent: AgentWithPrimary) -> None:
        """Note an agent's primary number. What was noted earlier is older, and so it stays."""
        if tells_primary(agent) and agent.primary_number_id:
            self.primaries.setdefault(agent.id, agent.primary_number_id)

    def as_json(self) -> dict[str, Any]:
        """Return what is not as it is by default."""
        found = {
            item.name: value
            for item in fields(self)
            if (value := getattr(self, item.name)) not in (None, [], {}, False)
        }
        if self.phone_number is not None:
            found["phone_number"] = visible(self.phone_number)  # as one line, whatever the vendor says
        return {**found, "state": self.state.value}


def tells_primary(agent: AgentWithPrimary) -> bool:
    """Return whether an answer said which number is primary, rather than leaving it out."""
    return "primary_number_id" in agent.model_fields_set


def read_journal(kept: object) -> tuple[dict[str, Entry], set[str], set[str], dict[str, str]]:
    """
    Read what an earlier try left.

    :return: The entries by key, the keys of numbers that are created, the names that stood for several numbers, and the
        ids of the numbers that names stood for.
    :raises ValueError: If it is not what a journal leaves.
    """
    if kept is None:
        return {}, set(), set(), {}
    if not isinstance(kept, Mapping) or kept.get("version") != VERSION:
        raise ValueError("it is of another version, or was edited")
    entries = kept.get("entries")
    if not isinstance(entries, Mapping) or not all(map(is_one_line, entries)):
        raise ValueError("it has no entries, or one without a sound key")
    creating = _texts(kept.get("creating", []), "numbers that are created")
    ambiguous = _texts(kept.get("ambiguous", []), "names that were refused")
    named = kept.get("named", {})
    if not isinstance(named, Mapping) or not all(
        is_one_line(name) and isinstance(id_, str) and is_uuid(id_) for name, id_ in named.items()
    ):
        raise ValueError("what it says of the numbers that names stood for is no object of ids")
    return {key: _entry(entry) for key, entry in entries.items()}, creating, ambiguous, dict(named)


def _texts(value: object, what: str) -> set[str]:
    if not isinstance(value, list) or not all(map(is_one_line, value)):
        raise ValueError(f"what it says of {what} is no list of texts")
    return set(value)


def _entry(value: object) -> Entry:
    if not isinstance(value, Mapping):
        raise ValueError("an entry is no object")  # noqa: TRY004 - what is wrong is a value from outside
    try:
        entry = Entry(**{**value, "state": State(value.get("state"))})
    except TypeError:
        raise ValueError("an entry has other fields") from None
    if not _is_sound(entry):
        raise ValueError("an entry has values of another form")
    return entry


def _is_sound(entry: Entry) -> bool:
    texts = (entry.mode, entry.agent_id, entry.seen, entry.previous_number_id, entry.phone_number)
    return (
        is_one_line(entry.number_id)
        and all(text is None or is_one_line(text) for text in texts)
        and isinstance(entry.losers, list)
        and all(map(is_one_line, entry.losers))
        and isinstance(entry.lent, bool)
        and isinstance(entry.removes, bool)
        and isinstance(entry.primaries, dict)
        and all(is_one_line(text) for item in entry.primaries.items() for text in item)
    )
