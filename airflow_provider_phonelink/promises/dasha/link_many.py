"""Link many numbers: what :func:`.link.link_number` promises of each, looked up and proved by list pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads, writes
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    ChangedMeanwhileError,
    NotFoundError,
    PhonelinkError,
    PromiseError,
    VendorError,
)
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.decisions.linking import (
    demand_linked,
    demand_not_moved,
    demand_outbound,
    is_to_be_linked,
)
from airflow_provider_phonelink.promises.journal import State, inbound_key, outbound_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.api.dasha.outbound import UsersReading
    from airflow_provider_phonelink.promises.journal import Entry, Journal

#: After so many numbers the state is read again: the older a look, the more a write may overwrite that others did.
BATCH = 200


@dataclass(frozen=True)
class _Callers:
    """Who calls out with which number."""

    #: What was read of the numbers that somebody is to call out with.
    reading: UsersReading
    #: Agent id to number id, as far as it was seen.
    numbers: dict[str, str]


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
        return self.number.id

    @property
    def keys(self) -> set[str]:
        """The journal keys of the links that are wanted."""
        inbound = {inbound_key(self.id)} if self.inbound else set()
        return inbound | ({outbound_key(self.outbound)} if self.outbound else set())


def link_many(
    numbers: Sequence[NumberToLink],
    *,
    if_linked: str,
    journal: Journal,
    refused: dict[str, str],
    on_done: Callable[[NumberToLink], None] = lambda _: None,
) -> Flow[None]:
    """
    Link numbers that were read just now, each with an outcome of its own, which it is given.

    Only what is not so yet is written. The vendor has no conditional write: a link that somebody else makes between
    the last look, which may be 200 numbers ago, and the write is overwritten.

    :param if_linked: ``replace`` takes a number from another agent that answers its calls, ``fail`` refuses to.
    :param refused: Links that this try of the task must not write again, by their keys in the journal, with the
        reason: the vendor refused them, or somebody else has changed them since. More are added
        as soon as a look shows a change; the caller adds those of which :func:`is_final` says so.
    :param on_done: Called with each number whose outcome is known.
    :raises AuthenticationError: If the key is refused, which is nobody's outcome but everybody's.
    """
    callers = yield from _callers(numbers, journal)
    for number in numbers:
        _decide(number, callers, if_linked, journal, refused)
    pending = [number for number in numbers if number.writing]
    for number in numbers:
        if not number.writing:
            number.done = not number.errors
            on_done(number)
    for start in range(0, len(pending), BATCH):
        batch = pending[start : start + BATCH]
        if start:
            callers = yield from _callers(batch, journal)
        unread = yield from _read_again(batch)
        for number in batch:
            _decide(number, callers, if_linked, journal, refused, unread.get(number.id))
        yield from _write(batch, callers, journal)
        yield from _prove(batch, journal)
        journal.keep()
        for number in batch:
            on_done(number)
    if pending:
        for number in (yield from _changed_since(numbers, batch, journal)):
            on_done(number)


def is_final(error: PhonelinkError) -> bool:
    """Return whether a write is not to be made again by this try: it was refused, or somebody else has changed it."""
    if isinstance(error, VendorError):
        return error.refuses_a_write
    return isinstance(error, ChangedMeanwhileError)


def _changed_since(
    numbers: Sequence[NumberToLink], last: Sequence[NumberToLink], journal: Journal
) -> Flow[list[NumberToLink]]:
    """Look again at what was so before the last writes, and return what somebody else has changed since."""
    proved = {(number.id, key) for number in last for key in number.writing}
    done = [number for number in numbers if number.done]
    inbound = [
        number for number in done if number.inbound and (number.id, inbound_key(number.id)) not in proved
    ]
    calling = [
        number
        for number in done
        if number.outbound and (number.id, outbound_key(number.outbound)) not in proved
    ]
    yield from _read_again(inbound)
    for number in inbound:
        if number.number.incoming_calls_agent_id != number.inbound:
            now = agent_label(number.number.incoming_calls_agent_id)
            was = f"answered for {agent_label(number.inbound)}, and at the last look {now} has it"
            _note_change(number, inbound_key(number.id), was, journal)
    reading = yield from read_callers(calling)
    for number in calling:
        if not (yield from _still_calls_out(number, reading)):
            agent = agent_label(number.outbound)
            was = f"was the outbound number of {agent}, and at the last look that agent does not call out with it"
            _note_change(number, outbound_key(str(number.outbound)), was, journal)
    return [number for number in done if not number.done]


def _still_calls_out(number: NumberToLink, reading: UsersReading) -> Flow[bool]:
    """Return whether the agent calls out with the number as before; True if that cannot be read any more."""
    if number.id in reading.errors:
        return True
    try:
        return (yield from _calls_out(number, reading.users.get(number.id)))
    except AuthenticationError:
        raise
    except VendorError:
        return True


def _note_change(number: NumberToLink, key: str, was: str, journal: Journal) -> None:
    journal.contested(key)
    number.errors[key] = ChangedMeanwhileError(
        f"Number {number.number.label} {was}: somebody else changed it in the meantime, and it was left so. Run the "
        "task again to take it over (if_linked='replace')."
    )
    number.done = False


def read_callers(numbers: Iterable[NumberToLink]) -> Flow[UsersReading]:
    """Read who calls out with those numbers that somebody is to call out with."""
    asked = {number.id: number.number.credentials_id for number in numbers if number.outbound}
    if not asked:
        return outbound.UsersReading({}, {})
    return (yield from outbound.read_users(asked))


def _callers(numbers: Sequence[NumberToLink], journal: Journal) -> Flow[_Callers]:
    """
    Find out who calls out with which number.

    An agent that an earlier look saw calling out with a number, and that does not any more, is looked for among all
    numbers: somebody may have given it another one since.
    """
    reading: UsersReading = yield from read_callers(numbers)
    seen = outbound.callers_of(reading.users)
    lost = [
        number
        for number in numbers
        if (earlier := _own_outbound(number, journal))
        and earlier.state is State.DONE
        and number.id not in reading.errors
        and number.outbound not in seen
    ]
    if lost:
        try:
            seen = {**(yield from outbound.outbound_links()), **seen}
        except AuthenticationError:
            raise
        except VendorError as error:
            reading.errors.update({number.id: error for number in lost})
    return _Callers(reading, seen)


def _own_outbound(number: NumberToLink, journal: Journal) -> Entry | None:
    """Return what earlier tries and looks of the task did, or may have done, to give this number to this agent."""
    return journal.untold(outbound_key(number.outbound), number.id) if number.outbound else None


def _decide(
    number: NumberToLink,
    callers: _Callers,
    if_linked: str,
    journal: Journal,
    refused: dict[str, str],
    unread: VendorError | None = None,
) -> None:
    """Note what has to be written, or why it must not be: for one, since the number could not be read."""
    number.writing.clear()
    number.errors.clear()
    if unread is not None:
        number.errors[inbound_key(number.id)] = unread
        return
    if number.inbound:
        key = inbound_key(number.id)
        try:
            _decide_inbound(number, key, if_linked, journal)
        except PhonelinkError as error:
            _leave(number, key, error, journal, refused)
    if number.outbound:
        key = outbound_key(number.outbound)
        try:
            _decide_outbound(number, key, callers, journal)
        except PhonelinkError as error:
            _leave(number, key, error, journal, refused)
    for key in number.writing & refused.keys():
        number.writing.discard(key)
        number.errors[key] = PromiseError(refused[key])


def _leave(
    number: NumberToLink, key: str, error: PhonelinkError, journal: Journal, refused: dict[str, str]
) -> None:
    """Note why a link must not be written: what somebody else has changed not at the next look of this try, either."""
    if isinstance(error, ChangedMeanwhileError):
        journal.contested(key)
        refused[key] = str(error)
    number.errors[key] = error


def _decide_inbound(number: NumberToLink, key: str, if_linked: str, journal: Journal) -> None:
    now = number.number.incoming_calls_agent_id
    wanted = str(number.inbound)
    if is_to_be_linked(number.number.label, wanted, now, journal.earlier(key), if_linked=if_linked):
        number.writing.add(key)
    else:
        journal.found(key, now)


def _decide_outbound(number: NumberToLink, key: str, callers: _Callers, journal: Journal) -> None:
    if number.id in callers.reading.errors:
        raise callers.reading.errors[number.id]
    agent = str(number.outbound)
    earlier, users = journal.earlier(key), callers.reading.users.get(number.id)
    if users and agent in users.outbound:
        if earlier and earlier.number_id == number.id:
            journal.found(key, agent)
        return
    own = _own_outbound(number, journal)
    demand_not_moved(number.number.label, agent, callers.numbers.get(agent), own)
    number.writing.add(key)


def _entries(batch: Iterable[NumberToLink], callers: _Callers, journal: Journal) -> dict[str, Entry]:
    """Return what the journal has to know before the links are written."""
    entries = {}
    for number in batch:
        about = {"number_id": number.id, "phone_number": number.number.phone_number}
        if number.inbound and inbound_key(number.id) in number.writing:
            key, now = inbound_key(number.id), number.number.incoming_calls_agent_id
            entries[key] = journal.entry(key, now, **about, mode="inbound", agent_id=number.inbound)
        if number.outbound and outbound_key(number.outbound) in number.writing:
            key = outbound_key(number.outbound)
            entry = journal.entry(key, **about, mode="replaceOutbound", agent_id=number.outbound)
            entry.previous_number_id = entry.previous_number_id or callers.numbers.get(number.outbound)
            entries[key] = entry
    return entries


def _write(batch: Sequence[NumberToLink], callers: _Callers, journal: Journal) -> Flow[None]:
    entries = _entries(batch, callers, journal)
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
                    looked = partial(journal.looked, key)
                    yield from writes.link(
                        number.id, str(number.inbound), "inbound", seen=entry.seen, looked=looked
                    )
                else:
                    yield from writes.link(number.id, str(number.outbound), "replaceOutbound")
        except AuthenticationError:  # the key is everybody's
            raise
        except PhonelinkError as error:
            number.errors[key] = error
            if not _may_have_taken_effect(error):
                number.writing.discard(key)


def _may_have_taken_effect(error: PhonelinkError) -> bool:
    """Return whether a write may have taken effect although it failed, which the look afterwards shows."""
    return error.retry_helps or (isinstance(error, VendorError) and error.repeated)


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
    yield from _read_again([number for number in batch if inbound_key(number.id) in number.writing])
    callers = yield from read_callers(
        [number for number in batch if number.writing - {inbound_key(number.id)}]
    )
    for number in batch:
        for key in sorted(number.writing):
            try:
                if key == inbound_key(number.id):
                    yield from _prove_inbound(number, journal.of(key))
                else:
                    yield from _prove_outbound(number, callers.users.get(number.id))
            except AuthenticationError:
                raise
            except PhonelinkError as error:
                if isinstance(error, ChangedMeanwhileError):
                    journal.contested(key)
                    number.errors[key] = error  # which says more than how the write failed
                number.errors.setdefault(key, error)
            else:
                number.errors.pop(key, None)
                journal.settle(key, number.inbound if key == inbound_key(number.id) else number.outbound)
        number.done = not number.errors


def _prove_inbound(number: NumberToLink, entry: Entry | None) -> Flow[None]:
    if number.number.incoming_calls_agent_id != number.inbound:
        # A list may lag behind; the number's own address is what a single link is proved by.
        number.number = yield endpoints.get_number(number.id)
    now = number.number.incoming_calls_agent_id
    if entry and now is None:
        entry.seen = None  # who gets it after this look, gets it from somebody else
    demand_linked(number.number.label, str(number.inbound), now, entry.seen if entry else None)


def _prove_outbound(number: NumberToLink, users: AffectedAgents | None) -> Flow[None]:
    shows = yield from _calls_out(number, users)
    demand_outbound(number.number.label, str(number.outbound), shows=shows)


def _calls_out(number: NumberToLink, users: AffectedAgents | None) -> Flow[bool]:
    """Return whether the agent calls out with the number, by its own address if a read of many does not show it."""
    agent = str(number.outbound)
    if users is None or agent not in users.outbound:
        try:
            users = yield endpoints.affected_agents(number.id)
        except NotFoundError:
            users = None
    return users is not None and agent in users.outbound | users.maybe_outbound
