"""
The journal: what the tries of a task have done to links, so that a later one knows what it cannot see for itself.

An entry is made before the first write to a link. It says what was true before and what is about to be written; whether
that was done shows at the next look. So a try that dies at any point leaves all that the next one has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, VendorError
from airflow_provider_phonelink.decisions.links import INBOUND

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.links import Link

#: Takes the journal as JSON and keeps it where a later try finds it; None when there is nothing to know any more.
Keep: TypeAlias = Callable[["dict[str, Any] | None"], None]

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

    def settle(self, now: str | None) -> bool:
        """
        Note that it is done, and who has the number now.

        :return: Whether anything is otherwise than before the task.
        """
        self.state = State.DONE
        if self.mode != INBOUND:
            return self.removes or self.previous_number_id != self.number_id
        wanted, before = self.agent_id, self.losers
        self.agent_id, self.losers = now, [loser for loser in before if loser != now]
        return bool(self.losers) or (not before and now is not None and now == wanted)

    def saw(self, agent: AgentWithPrimary) -> None:
        """Note an agent's primary number. What was noted earlier is older, and so it stays."""
        if tells_primary(agent) and agent.primary_number_id:
            self.primaries.setdefault(agent.id, agent.primary_number_id)

    def as_json(self) -> dict[str, Any]:
        """Return what is not as it is by default."""
        return {
            **{
                item.name: value
                for item in fields(self)
                if (value := getattr(self, item.name)) not in (None, [], {}, False) and item.name != "state"
            },
            "state": self.state.value,
        }


class Journal:
    """
    The entries of one task in one run, a link each.

    :param kept: What an earlier try left, as JSON.
    :param keep: Takes what a later try is to find.
    :raises ValueError: If what was left is not what a journal leaves.
    """

    def __init__(self, kept: object = None, keep: Keep = lambda _: None) -> None:
        self._entries, self._creating = _read(kept)
        self._keep = keep
        #: What is kept by now, to be compared with.
        self._kept, self._kept_creating = self._as_json(), set(self._creating)
        #: The entries as this try found them.
        self._found: dict[str, Entry | None] = {}
        #: The links that this try has begun to write.
        self._begun: set[str] = set()
        self._lock = Lock()
        self._deferred = False

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """Go through the entries and their keys."""
        return iter(list(self._entries.items()))

    def of(self, key: str) -> Entry | None:
        """Return what is known of a link, whichever try made the entry."""
        return self._entries.get(key)

    def earlier(self, key: str) -> Entry | None:
        """Return what earlier tries left of a link."""
        return self._found[key] if key in self._found else self._entries.get(key)

    def entry(self, key: str, now: str | None = None, **fields_: Any) -> Entry:
        """
        Return the entry for a write that is to be made; what earlier tries did to the same link is in it.

        :param now: For an inbound link, the agent that has the number now, and is about to lose it.
        """
        # What this try itself wrote counts, too: a change that is given back has to know what was true before it.
        before = self._entries.get(key) if key in self._begun else self.earlier(key)
        planned = self._entries.get(key) if key in self._found else None
        if before is None or before.state is State.TOLD:
            entry = Entry(**fields_)
        else:
            copied = {"losers": list(before.losers), "primaries": dict(before.primaries)}
            entry = replace(before, **{**copied, "state": State.INTENDED, **fields_})
        from_the_task = before is not None and before.pending and now == before.agent_id
        if now is not None and not from_the_task and now not in (entry.agent_id, *entry.losers[-1:]):
            entry.losers.append(now)
        if planned:
            entry.phone_number = entry.phone_number or planned.phone_number
            entry.previous_number_id = entry.previous_number_id or planned.previous_number_id
            entry.lent = entry.lent or planned.lent
        return entry

    def intend(self, entries: Mapping[str, Entry]) -> None:
        """Keep what is about to be written."""
        with self._lock:
            for key, entry in entries.items():
                self._found.setdefault(key, self._entries.get(key))
                self._entries[key] = entry
            if any(self._tells_more(key, entry) for key, entry in entries.items()):
                self._keep_now()

    def begin(self, key: str, entry: Entry) -> None:
        """Keep what is about to be written right now."""
        self.intend({key: entry})
        self._begun.add(key)

    @contextmanager
    def writing(self, key: str, entry: Entry) -> Iterator[None]:
        """Keep an entry, and note what comes of the write that is made inside."""
        before = self.written(key)
        self.begin(key, entry)
        try:
            yield
        except ChangedMeanwhileError:
            self.contested(key)
            raise
        except VendorError as error:
            refused = error.method != "GET" and error.status is not None and not error.retry_helps
            if refused and not error.repeated:
                self.not_written(key, before)
            raise

    def written(self, key: str) -> Entry | None:
        """Return what this try has written to a link so far, or was about to."""
        return self._entries.get(key) if key in self._begun else None

    def not_written(self, key: str, before: Entry | None) -> None:
        """Note that a write was refused; what this try had written before it stays."""
        if before is None:
            self.undo(key)
        else:
            self._entries[key] = before
        self.keep()

    def contested(self, key: str) -> None:
        """Note that somebody else has changed the link since, and that the task fails and says so."""
        if entry := self._entries.get(key):
            entry.state = State.CONTESTED
            self.keep()

    def settle(self, key: str, now: str | None) -> Entry | None:
        """Note that a link is as it should be, and who has the number; nothing to note if all is as before."""
        entry = self._entries.get(key)
        if entry is None or entry.state is State.TOLD or entry.settle(now):
            return entry
        self.drop(key)
        return None

    def done(self, key: str, now: str | None) -> None:
        """Note that a link is as it should be, for a flow that does not do so itself."""
        entry = self._entries.get(key)
        if entry is not None and entry.state is State.INTENDED:
            self._begun.add(key)
            self.settle(key, now)

    def found(self, key: str, now: str | None) -> Entry | None:
        """Note that a link was as it should be before this try wrote anything; what earlier tries did stays true."""
        entry = self._entries.get(key)
        if key in self._found and entry is not None and entry.state is State.INTENDED:
            self.undo(key)
        return self.settle(key, now)

    def undo(self, key: str) -> None:
        """Forget an intention of this try, for it is certain that nothing was written."""
        if found := self._found.pop(key, None):
            self._entries[key] = found
        else:
            self.drop(key)

    def undo_what_was_not_begun(self) -> None:
        """Forget the intentions of this try that it did not come to, or that others had carried out by then."""
        for key in self._found.keys() - self._begun:
            self.undo(key)

    def drop_intentions(self) -> None:
        """
        Forget every write that may or may not have been made, for a look has shown which were: those are settled.

        What an earlier try is known to have done to the same link stays.
        """
        for key, entry in self:
            if entry.state is State.INTENDED:
                self.undo(key)
                restored = self._entries.get(key)
                # An earlier try may have died around the same write.
                if restored is not None and restored.state is State.INTENDED:
                    self.drop(key)

    def drop(self, key: str) -> None:
        """Forget a link, for all is as it was before."""
        self._entries.pop(key, None)

    def keep(self) -> None:
        """Leave the entries to a later try, unless that is to wait until several changes are made."""
        with self._lock:
            if not self._deferred:
                self._keep_now()

    @contextmanager
    def several(self) -> Iterator[None]:
        """Keep what comes of the changes inside once, at the end; what they intend is kept before, as ever."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def told(self) -> dict[str, Any] | None:
        """Return the journal of a task that has told all: for a try that Airflow makes although this one succeeded."""
        for entry in self._entries.values():
            entry.state = State.TOLD
        return {"version": VERSION, "entries": self._as_json()} if self._entries else None

    def create(self, keys: Collection[str]) -> None:
        """Keep which numbers are about to be created: a later try that finds one knows that it is the task's own."""
        self._creating.update(keys)
        self._keep_now()

    def not_created(self, key: str) -> None:
        """Note that a number was not created: the vendor refused, or it was there."""
        self._creating.discard(key)

    def creates(self, key: str) -> bool:
        """Return whether a try created a number, or was about to."""
        return key in self._creating

    @property
    def lent(self) -> list[Entry]:
        """The numbers that a try took from their agents, or was about to, and of which it is not known who has them."""
        return [entry for _, entry in self if entry.lent and entry.state is State.INTENDED]

    @property
    def is_kept(self) -> bool:
        """Whether anything is kept that is to be cleared away in the end."""
        return bool(self._kept or self._kept_creating)

    def _tells_more(self, key: str, entry: Entry) -> bool:
        """
        Return whether a later try has to know more than what is kept.

        Which number was an agent's primary one right before each change of a plan is not worth keeping each time, and
        neither is a first one that the plan itself has given to the agent that gets the number.
        """
        found, kept = entry.as_json(), dict(self._kept.get(key, {}))
        primaries, known = found.pop("primaries", {}), kept.pop("primaries", {})
        return found != kept or not primaries.keys() - {entry.agent_id} <= known.keys()

    def _keep_now(self) -> None:
        found, creating = self._as_json(), set(self._creating)
        if found != self._kept or creating != self._kept_creating:
            created = {"creating": sorted(creating)} if creating else {}
            self._keep({"version": VERSION, "entries": found, **created} if found or creating else None)
            self._kept, self._kept_creating = found, creating

    def _as_json(self) -> dict[str, Any]:
        return {key: entry.as_json() for key, entry in list(self._entries.items())}


def key_of(link: Link, *, one_outbound_number: bool) -> str:
    """Return what a link's entry is found by: what can have one value only, so that a later wish finds it, too."""
    if link.mode == INBOUND:
        return inbound_key(link.number_id)
    return outbound_key(link.agent_id) if one_outbound_number else attached_key(link.number_id, link.agent_id)


def inbound_key(number_id: str) -> str:
    """Return the key of a number's inbound link."""
    return number_id


def outbound_key(agent_id: str) -> str:
    """Return the key of an agent's one outbound number."""
    return f"outbound/{agent_id}"


def attached_key(number_id: str, agent_id: str) -> str:
    """Return the key of a number's link to one of any number of outbound agents (CallingBox)."""
    return f"{number_id}/{agent_id}"


def tells_primary(agent: AgentWithPrimary) -> bool:
    """Return whether an answer said which number is primary, rather than leaving it out."""
    return "primary_number_id" in agent.model_fields_set


def _read(kept: object) -> tuple[dict[str, Entry], set[str]]:
    if kept is None:
        return {}, set()
    if not isinstance(kept, Mapping) or kept.get("version") != VERSION:
        raise ValueError("it is of another version, or was edited")
    entries, creating = kept.get("entries"), kept.get("creating", [])
    if not isinstance(entries, Mapping):
        raise ValueError("it has no entries")  # noqa: TRY004 - what is wrong is a value from outside
    if not isinstance(creating, list) or not all(isinstance(key, str) for key in creating):
        raise ValueError("what it says of numbers that are created is no list of texts")
    return {str(key): _entry(entry) for key, entry in entries.items()}, set(creating)


def _entry(value: object) -> Entry:
    if not isinstance(value, Mapping):
        raise ValueError("an entry is no object")  # noqa: TRY004 - as above
    try:
        entry = Entry(**{**value, "state": State(value.get("state"))})
    except TypeError:
        raise ValueError("an entry has other fields") from None
    if not _is_sound(entry):
        raise ValueError("an entry has values of other types")
    return entry


def _is_sound(entry: Entry) -> bool:
    texts = (entry.mode, entry.agent_id, entry.previous_number_id, entry.phone_number)
    return (
        isinstance(entry.number_id, str)
        and all(text is None or isinstance(text, str) for text in texts)
        and isinstance(entry.losers, list)
        and all(isinstance(loser, str) for loser in entry.losers)
        and isinstance(entry.lent, bool)
        and isinstance(entry.removes, bool)
        and isinstance(entry.primaries, dict)
        and all(isinstance(text, str) for item in entry.primaries.items() for text in item)
    )
