"""
The journal: what the tries of a task have done to links, so that a later one knows what it cannot see for itself.

An entry is made before the first write to a link. It says what was true before and what is about to be written; whether
that was done shows at the next look. So a try that dies at any point leaves all that the next one has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, VendorError
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.promises.entries import VERSION, Entry, State, read_journal, tells_primary

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.links import Link

__all__ = [
    "VERSION",
    "Entry",
    "Journal",
    "Keep",
    "State",
    "attached_key",
    "inbound_key",
    "key_of",
    "outbound_key",
    "tells_primary",
]

#: Takes the journal as JSON and keeps it where a later try finds it; None when there is nothing to know any more.
Keep: TypeAlias = Callable[["dict[str, Any] | None"], None]


class Journal:
    """
    The entries of one task in one run, a link each.

    :param kept: What an earlier try left, as JSON.
    :param keep: Takes what a later try is to find.
    :raises ValueError: If what was left is not what a journal leaves.
    """

    def __init__(self, kept: object = None, keep: Keep = lambda _: None) -> None:
        self._entries, self._creating, self._ambiguous, self._named = read_journal(kept)
        self._keep = keep
        #: The links that this try found changed by somebody else, and how far the task had come with them before.
        self._unsaid: dict[str, State] = {}
        #: What is kept by now, to be compared with.
        self._kept, self._kept_names = self._as_json(), self._names()
        #: The entries as this try found them.
        self._found: dict[str, Entry | None] = {}
        #: The links that this try has begun to write.
        self._begun: set[str] = set()
        #: The links that a look of this try has shown to be as the entries say.
        self._seen: set[str] = set()
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

    def untold(self, key: str, number_id: str) -> Entry | None:
        """Return what earlier tries did about this number, or may have done, without having told of it."""
        earlier = self.earlier(key)
        return earlier if earlier and earlier.pending and earlier.number_id == number_id else None

    def entry(self, key: str, now: str | None = None, **fields_: Any) -> Entry:
        """
        Return the entry for a write that is to be made; what earlier tries did to the same link is in it.

        :param now: For an inbound link, the agent that has the number now, and is about to lose it.
        """
        # What this try itself wrote counts, too: a change that is given back has to know what was true before it.
        before = self._entries.get(key) if key in self._begun else self.earlier(key)
        planned = self._entries.get(key) if key in self._found else None
        if before is None or before.state is State.TOLD:
            entry = Entry(**fields_, seen=now)
        else:
            copied = {"losers": list(before.losers), "primaries": dict(before.primaries)}
            entry = replace(before, **{**copied, "state": State.INTENDED, "seen": now, **fields_})
            if before.removes and not entry.removes:
                entry.previous_number_id = before.number_id
        from_the_task = before is not None and before.pending and before.gave_to(now)
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
            with self.leaving(key):
                yield
        except VendorError as error:
            if error.rules_out_the_write:
                self.not_written(key, before)
            raise

    def looked(self, key: str, now: str | None) -> None:
        """Keep who has a number at a look before a write is repeated."""
        entry = self._entries[key]
        if entry.seen != now:
            entry.seen = now
            with self._lock:
                self._keep_now()

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

    @contextmanager
    def leaving(self, key: str) -> Iterator[None]:
        """Note that somebody else has changed the link since, if what is done inside says so."""
        try:
            yield
        except ChangedMeanwhileError:
            self.contested(key)
            raise

    def contested(self, key: str) -> None:
        """
        Note that somebody else has changed the link since, and that the task is going to fail and say so.

        A try that dies before it has said so leaves that to the next one.
        """
        entry = self._entries.get(key)
        if entry and entry.state is not State.CONTESTED:
            self._unsaid[key], entry.state = entry.state, State.CONTESTED

    def said(self) -> None:
        """Note that the task fails now, and says what somebody else has changed."""
        self._unsaid.clear()
        self.keep()

    def settle(self, key: str, now: str | None) -> Entry | None:
        """Note that a link is as it should be, and who has the number; nothing to note if all is as before."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.agent_id == now if entry.state is State.TOLD else entry.settle(now):
            self._seen.add(key)
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

    def copies(self) -> dict[str, Entry]:
        """Return the entries as they are now."""
        return {
            key: replace(entry, losers=list(entry.losers), primaries=dict(entry.primaries))
            for key, entry in self
        }

    def leave_to_the_next_try(self, before: Mapping[str, Entry]) -> None:
        """Let the next try find, and say, what others have changed: this one fails for another reason, and has not."""
        for key, entry in before.items():
            now = self._entries.get(key)
            if now and entry.mode == INBOUND and entry.pending and not entry.explains(now.agent_id):
                self._entries[key] = replace(entry, lent=False)

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

    def refuse(self, names: Collection[str]) -> None:
        """Keep which names stood for several numbers: a later try must not take one for what may be left of these."""
        self._ambiguous.update(names)
        self.keep()

    def refused(self, name: str) -> bool:
        """Return whether a try found several numbers for a name."""
        return name in self._ambiguous

    def to_tell(self) -> list[Entry]:
        """Return the entries that looks have proved, and of those that were told before the ones that are so still."""
        self.drop_intentions()
        return [entry for key, entry in self if entry.state is not State.TOLD or key in self._seen]

    def has_seen(self, key: str) -> bool:
        """Return whether a look of this try has shown what came of a link, be it that somebody else changed it."""
        return key in self._seen or key in self._unsaid

    def name(self, named: Mapping[str, str]) -> None:
        """Keep the ids of the numbers that names stand for: once one is gone, its name may stand for another."""
        self._named.update(named)
        self.keep()

    def named(self, name: str) -> str | None:
        """Return the id of the number that a name stood for when an earlier try looked."""
        return self._named.get(name)

    @property
    def lent(self) -> dict[str, Entry]:
        """The numbers that a try took from their agents, or was about to, and of which it is not known who has them."""
        return {key: entry for key, entry in self if entry.lent and entry.state is State.INTENDED}

    @property
    def unseen(self) -> list[Entry]:
        """What tries did, or may have done, that was neither told nor seen in this try."""
        return [entry for key, entry in self if entry.state is not State.TOLD and not self.has_seen(key)]

    @property
    def is_kept(self) -> bool:
        """Whether anything is kept that is to be cleared away in the end."""
        return bool(self._kept or self._kept_names)

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
        found, names = self._as_json(), self._names()
        if found != self._kept or names != self._kept_names:
            self._keep({"version": VERSION, "entries": found, **names} if found or names else None)
            self._kept, self._kept_names = found, names

    def _names(self) -> dict[str, Any]:
        """Return what is kept beside the entries, as far as there is any."""
        names = {
            "creating": sorted(self._creating),
            "ambiguous": sorted(self._ambiguous),
            "named": dict(self._named),
        }
        return {what: found for what, found in names.items() if found}

    def _as_json(self) -> dict[str, Any]:
        return {key: self._as_kept(key, entry).as_json() for key, entry in list(self._entries.items())}

    def _as_kept(self, key: str, entry: Entry) -> Entry:
        is_unsaid = entry.state is State.CONTESTED and key in self._unsaid
        return replace(entry, state=self._unsaid[key]) if is_unsaid else entry


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
