"""Link many numbers: what :func:`.link.link_number` promises of each, looked up and proved by list pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads, writes
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    ChangedMeanwhileError,
    NotFoundError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.decisions.linking import demand_linked, demand_outbound, is_to_be_linked
from airflow_provider_phonelink.promises.journal import inbound_key, outbound_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.promises.journal import Entry, Journal

#: After so many numbers the state is read again: the older a look, the more a write may overwrite that others did.
BATCH = 200


@dataclass
class NumberToLink:
    """A number, who is to have it, and what came of that."""

    #: As it was read last.
    number: PhoneNumber
    inbound: str | None = None
    outbound: str | None = None
    #: Why a link was not made, by its key in the journal.
    errors: dict[str, PhonelinkError] = field(default_factory=dict)
    #: Whether all that was wanted is seen to be so.
    done: bool = False
    #: What is to be written: journal keys.
    writing: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        """Its id in canonical form."""
        return self.number.id.lower()


def link_many(
    numbers: Sequence[NumberToLink],
    *,
    if_linked: str,
    journal: Journal,
    on_done: Callable[[NumberToLink], None] = lambda _: None,
) -> Flow[None]:
    """
    Link numbers that were read just now, each with an outcome of its own, which it is given.

    Only what is not so yet is written. The vendor has no conditional write: a link that somebody else makes between
    the last look, which may be 200 numbers ago, and the write is overwritten.

    :param if_linked: ``replace`` takes a number from another agent that answers its calls, ``fail`` refuses to.
    :param on_done: Called with each number whose outcome is known.
    :raises AuthenticationError: If the key is refused, which is nobody's outcome but everybody's.
    """
    users = yield from _users(numbers)
    for number in numbers:
        _decide(number, users, if_linked, journal)
    pending = [number for number in numbers if number.writing]
    for number in numbers:
        if not number.writing:
            number.done = not number.errors
            on_done(number)
    for start in range(0, len(pending), BATCH):
        batch = pending[start : start + BATCH]
        if start:
            users = yield from _users(batch)
        unread = yield from _read_again(batch)
        for number in batch:
            _decide(number, users, if_linked, journal, unread.get(number.id))
        yield from _write(batch, users, journal)
        yield from _prove(batch, journal)
        journal.keep()
        for number in batch:
            on_done(number)
    if pending:
        proved = {number.id for number in batch}
        before = [number for number in numbers if number.done and number.inbound and number.id not in proved]
        for number in (yield from _changed_since(before, journal)):
            on_done(number)


def _changed_since(numbers: Sequence[NumberToLink], journal: Journal) -> Flow[list[NumberToLink]]:
    """Look again at what was done before the last writes, and return what somebody else has changed since."""
    yield from _read_again(numbers)
    changed = [number for number in numbers if number.number.incoming_calls_agent_id != number.inbound]
    for number in changed:
        key, now = inbound_key(number.id), agent_label(number.number.incoming_calls_agent_id)
        journal.contested(key)
        number.errors[key] = ChangedMeanwhileError(
            f"Number {number.number.label} answered for {agent_label(number.inbound)}, and at the last look {now} has "
            "it: somebody else changed it in the meantime, and it was left so. Run the task again to take it over."
        )
        number.done = False
    return changed


def _users(numbers: Iterable[NumberToLink]) -> Flow[dict[str, AffectedAgents]]:
    """Read who calls out with those numbers that somebody is to call out with."""
    asked = {number.id: number.number.credentials_id.lower() for number in numbers if number.outbound}
    if not asked:
        return {}
    users: dict[str, AffectedAgents] = yield from outbound.users_of(asked)
    return users


def _decide(
    number: NumberToLink,
    users: dict[str, AffectedAgents],
    if_linked: str,
    journal: Journal,
    unread: VendorError | None = None,
) -> None:
    """Note what has to be written, or why it must not be: for one, since the number could not be read."""
    number.writing.clear()
    number.errors.clear()
    if unread is not None:
        number.errors[inbound_key(number.id)] = unread
        return
    if number.inbound:
        key, now = inbound_key(number.id), number.number.incoming_calls_agent_id
        try:
            if is_to_be_linked(
                number.number.label, number.inbound, now, journal.earlier(key), if_linked=if_linked
            ):
                number.writing.add(key)
            else:
                journal.found(key, now)
        except ChangedMeanwhileError as error:
            journal.contested(key)
            number.errors[key] = error
        except PhonelinkError as error:
            number.errors[key] = error
    if number.outbound:
        key = outbound_key(number.outbound)
        if number.id in users and number.outbound in users[number.id].outbound:
            earlier = journal.earlier(key)
            if earlier and earlier.number_id == number.id:
                journal.found(key, number.outbound)
        else:
            number.writing.add(key)


def _entries(
    batch: Iterable[NumberToLink], users: dict[str, AffectedAgents], journal: Journal
) -> dict[str, Entry]:
    """Return what the journal has to know before the links are written."""
    before = {agent: number_id for number_id, affected in users.items() for agent in affected.outbound}
    entries = {}
    for number in batch:
        about = {"number_id": number.id, "phone_number": number.number.phone_number}
        if number.inbound and inbound_key(number.id) in number.writing:
            key, now = inbound_key(number.id), number.number.incoming_calls_agent_id
            entries[key] = journal.entry(key, now, **about, mode="inbound", agent_id=number.inbound)
        if number.outbound and outbound_key(number.outbound) in number.writing:
            key = outbound_key(number.outbound)
            entry = journal.entry(key, **about, mode="replaceOutbound", agent_id=number.outbound)
            entry.previous_number_id = entry.previous_number_id or before.get(number.outbound)
            entries[key] = entry
    return entries


def _write(batch: Sequence[NumberToLink], users: dict[str, AffectedAgents], journal: Journal) -> Flow[None]:
    entries = _entries(batch, users, journal)
    journal.intend(entries)
    with journal.several():
        yield Parallel([_write_one(number, entries, journal) for number in batch])


def _write_one(number: NumberToLink, entries: dict[str, Entry], journal: Journal) -> Flow[None]:
    """Write one number's links; what fails is its own outcome."""
    for key in sorted(number.writing):
        entry = entries[key]
        try:
            with journal.writing(key, entry):
                if entry.mode == "inbound":
                    seen = number.number.incoming_calls_agent_id
                    yield from writes.link(number.id, str(number.inbound), "inbound", seen=seen)
                else:
                    yield from writes.link(number.id, str(number.outbound), "replaceOutbound")
        except AuthenticationError:  # the key is everybody's
            raise
        except PhonelinkError as error:
            number.errors[key] = error
            if not error.retry_helps:  # otherwise it may have taken effect, which the look afterwards shows
                number.writing.discard(key)


def _read_again(batch: Iterable[NumberToLink]) -> Flow[dict[str, VendorError]]:
    """
    Bring the numbers up to date; one that cannot be read stays as it was.

    :return: The errors of those that cannot be read, except those that are gone.
    """
    reading = yield from reads.read_numbers([number.id for number in batch])
    for number in batch:
        number.number = reading.numbers.get(number.id) or number.number
    return reading.errors


def _prove(batch: Sequence[NumberToLink], journal: Journal) -> Flow[None]:
    """Look whether the links show, and note it in the journal."""
    before = {number.id: number.number.incoming_calls_agent_id for number in batch}
    yield from _read_again([number for number in batch if inbound_key(number.id) in number.writing])
    users = yield from _users([number for number in batch if number.writing - {inbound_key(number.id)}])
    for number in batch:
        for key in sorted(number.writing):
            try:
                if key == inbound_key(number.id):
                    yield from _prove_inbound(number, before[number.id])
                else:
                    yield from _prove_outbound(number, users.get(number.id))
            except AuthenticationError:
                raise
            except PhonelinkError as error:
                if isinstance(error, ChangedMeanwhileError):
                    journal.contested(key)
                number.errors.setdefault(key, error)
            else:
                number.errors.pop(key, None)
                journal.settle(key, number.inbound if key == inbound_key(number.id) else number.outbound)
        number.done = not number.errors


def _prove_inbound(number: NumberToLink, previous: str | None) -> Flow[None]:
    if number.number.incoming_calls_agent_id != number.inbound:
        # A list may lag behind; the number's own address is what a single link is proved by.
        number.number = yield endpoints.get_number(number.id)
    now = number.number.incoming_calls_agent_id
    demand_linked(number.number.label, str(number.inbound), now, previous)


def _prove_outbound(number: NumberToLink, users: AffectedAgents | None) -> Flow[None]:
    agent = str(number.outbound)
    if users is None or agent not in users.outbound:
        try:
            users = yield endpoints.affected_agents(number.id)
        except NotFoundError:
            users = None
    shows = users is not None and agent in users.outbound | users.maybe_outbound
    demand_outbound(number.number.label, agent, shows=shows)
