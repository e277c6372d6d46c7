"""Delete many numbers: afterwards each is gone, or its row says which agents use it, or what else is in the way."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import deletes, endpoints, outbound
from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    ChangedMeanwhileError,
    NotFoundError,
    PhonelinkError,
    TakenError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.text import clean, listed
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.promises.dasha.delete import delete_seen
from airflow_provider_phonelink.promises.dasha.deleting import Deleting, NumberToDelete
from airflow_provider_phonelink.promises.dasha.giving_back import (
    OUTBOUND,
    Returned,
    give_back,
    look_again,
    loser,
    note_caller,
)
from airflow_provider_phonelink.promises.dasha.named_to_delete import look
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.journal import State, attached_key, inbound_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.promises.journal import Entry, Journal


def delete_many(deleting: Deleting) -> Flow[None]:
    """
    Make sure that numbers are gone. What fails for one is its own outcome and does not stop the others.

    The vendor is never told to unlink by itself (``force``): a link that somebody makes after the look stays, and the
    number with it.

    What a try took from agents, and cannot delete, goes back to them, whichever try took it: in this try, unless a
    later one may delete it.

    :raises AuthenticationError: If the key is refused before anything is written.
    """
    try:
        yield from look(deleting)
        orphans = _match_journal(deleting)
        there = {number.number.id: number for number in deleting.numbers if number.number}
        reading: outbound.UsersReading = yield from outbound.read_users(
            {id_: number.number.credentials_id for id_, number in there.items() if number.number}
        )
    except PhonelinkError as error:
        raise _naming_agents(error, deleting.journal) from error.__cause__
    _note_what_is_gone(deleting)
    _remember_found(deleting, reading)
    yield Parallel([_delete(deleting, number, reading) for number in there.values()])
    yield from _give_back(deleting, orphans)
    deleting.journal.keep()


def _remember_found(deleting: Deleting, reading: outbound.UsersReading) -> None:
    """Let no try take a name for another number than this one does, of those that it is going to change."""
    found = {
        name: number.number.id
        for number in deleting.numbers
        if number.number and number.reason is None
        if deleting.if_linked != "fail" or not _links(number.number, reading.users.get(str(number.id)))
        for name in (number.name, *number.other_names)
        if not is_uuid(name)
    }
    if found:
        deleting.journal.name(found)


def _match_journal(deleting: Deleting) -> list[NumberToDelete]:
    """
    Let each number know the journal's entries of it.

    :return: Numbers that an earlier try took from agents, and that are not named any more, whoever has them by now.
    """
    by_id = {number.id: number for number in deleting.numbers if number.id}
    by_phone_number: dict[str | None, NumberToDelete] = {}
    for number in deleting.numbers:
        if number.id is None:
            by_phone_number |= {number.name: number, e164(number.name): number}
    by_phone_number.pop(None, None)
    orphans: dict[str, NumberToDelete] = {}
    for key, entry in deleting.journal:
        written = entry.phone_number or ""
        owner = (
            by_id.get(entry.number_id) or by_phone_number.get(written) or by_phone_number.get(e164(written))
        )
        if owner is None and entry.state is not State.TOLD:
            owner = orphans.setdefault(entry.number_id, NumberToDelete(entry.number_id))
        if owner:
            owner.keys.add(key)
    return list(orphans.values())


def _naming_agents(error: PhonelinkError, journal: Journal) -> PhonelinkError:
    """Let an error name the numbers that earlier tries took from agents, and that this try did not get to."""
    taken = [
        f"{number_label(entry.number_id, entry.phone_number)}, from {agent_label(loser(entry))}"
        for _, entry in journal
        if entry.pending
    ]
    if not taken:
        return error
    told = copy(error)
    told.args = (
        f"{error} By an earlier try of this task these numbers were taken from their agents, or were about to be: "
        f"{listed(taken)}. The next try, or clearing the task, deletes them or gives them back.",
    )
    return told


def _note_what_is_gone(deleting: Deleting) -> None:
    """Note in the journal what an earlier try began to unlink and then deleted."""
    for number in deleting.numbers:
        if number.step == "gone":
            _note_gone(deleting, number)


def _note_gone(deleting: Deleting, number: NumberToDelete) -> None:
    """Nobody has a number that is gone, whoever had it when it was taken from an agent."""
    for key, entry in deleting.entries(number).items():
        deleting.journal.settle(key, None if entry.mode == INBOUND else entry.agent_id)


def _delete(deleting: Deleting, number: NumberToDelete, reading: outbound.UsersReading) -> Flow[None]:
    if number.number is None or number.reason is not None:
        return
    number_id = number.number.id
    users = reading.users.get(number_id)
    _note_what_was_taken(deleting, number, number.number, users)
    if deleting.refusal:
        number.reason = f"Not tried, because the key was refused for another number: {deleting.refusal}"
        return
    try:
        if number_id in reading.errors:
            raise reading.errors[number_id]
        yield from _unlink(deleting, number, _links(number.number, users))
        outcome = yield from delete_seen(number.number)
    except NotFoundError as error:
        if (yield from _may_be_there(number_id)):
            number.fail(error)
        else:  # somebody else was faster
            number.step = "gone"
    except PhonelinkError as error:
        number.fail(error)
        if isinstance(error, AuthenticationError):  # the key is everybody's
            deleting.refusal = error
    else:
        number.step = "deleted"
        deleting.warnings += outcome.warnings
    if number.step is not None:
        _note_gone(deleting, number)
    deleting.on_step(number.step or "failed")


def _may_be_there(number_id: str) -> Flow[bool]:
    """Return whether there is such a number, or nobody can tell."""
    try:
        return (yield from deletes.is_there(number_id))
    except PhonelinkError:
        return True


def _unlink(deleting: Deleting, number: NumberToDelete, links: Sequence[tuple[str, str]]) -> Flow[None]:
    """
    Take a number from the agents that use it.

    :raises TakenError: If it is to be left with them, or with those that an earlier try took it from.
    :raises ChangedMeanwhileError: If somebody else has linked it since this task's look, or an earlier try's.
    """
    if number.number is None:
        return
    number_id, taken = number.number.id, deleting.taken(number)
    if deleting.if_linked == "fail" and (links or taken):
        raise _in_use(number.number, links, is_changed=bool(taken))
    for agent, mode in links:
        key = inbound_key(number_id) if mode == INBOUND else attached_key(number_id, agent)
        if mode == INBOUND and key in taken:
            raise _linked_meanwhile(number.number, agent)
        number.keys.add(key)
        unlinked = yield from unlink_number(number_id, mode, agent, key=key, journal=deleting.journal)
        now = unlinked.subject.incoming_calls_agent_id
        if mode == INBOUND and now:
            raise _linked_meanwhile(number.number, now)


def _note_what_was_taken(
    deleting: Deleting, number: NumberToDelete, shown: PhoneNumber, users: AffectedAgents | None
) -> None:
    """Note in the journal which links earlier tries have removed, and which their agents have, or have again."""
    _note_what_changed_again(deleting, number, shown.incoming_calls_agent_id)
    for key, entry in deleting.taken(number).items():
        if entry.mode == INBOUND:
            deleting.journal.settle(key, shown.incoming_calls_agent_id)
        elif users:
            note_caller(deleting.journal, key, entry, users)


def _contested(deleting: Deleting, number: NumberToDelete) -> dict[str, Entry]:
    """Return the journal's entries of a number that somebody else gave another agent, as an earlier try has said."""
    entries = deleting.entries(number).items()
    return {key: entry for key, entry in entries if entry.mode == INBOUND and entry.state is State.CONTESTED}


def _note_what_changed_again(deleting: Deleting, number: NumberToDelete, now: str | None) -> None:
    """Take a number that has another agent than an earlier try said, or none, for one of which nothing was said yet."""
    for key, entry in _contested(deleting, number).items():
        if entry.agent_id != now:
            deleting.journal.settle(key, now)


def _links(number: PhoneNumber, users: AffectedAgents | None) -> list[tuple[str, str]]:
    inbound = number.incoming_calls_agent_id
    calling = sorted(users.outbound) if users else []
    return [*([(inbound, INBOUND)] if inbound else []), *((agent, OUTBOUND) for agent in calling)]


def _in_use(number: PhoneNumber, links: Iterable[tuple[str, str]], *, is_changed: bool) -> TakenError:
    uses = "; ".join(
        f"{agent_label(agent)} {'answers its calls' if mode == INBOUND else 'calls out with it'}"
        for agent, mode in links
    )
    state = f"is in use: {uses}" if uses else "was in use until an earlier try of this task"
    rest = "" if is_changed else " Nothing was changed."
    return TakenError(f"Number {number.label} {state}. It was not deleted (if_linked='fail').{rest}")


def _linked_meanwhile(number: PhoneNumber, agent: str) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        f"Number {number.label} was not deleted: {agent_label(agent)} answers its calls by now, for somebody else "
        "linked it in the meantime. Run the task again to take it from there and delete it."
    )


def _give_back(deleting: Deleting, orphans: Iterable[NumberToDelete]) -> Flow[None]:
    """Give numbers that were taken from agents, and are still there, back, unless a later try may delete them."""
    open_ones = [number for number in deleting.numbers if number.reason is not None]
    for orphan in orphans:
        orphan.reason = "It is not among the numbers to delete any more."
    considered = [*open_ones, *orphans]
    yield Parallel([_look_again(deleting, number) for number in considered])
    yield Parallel([_look_who_has(deleting, orphan) for orphan in orphans if _contested(deleting, orphan)])
    due: dict[str, Entry] = {}
    for number in considered:
        taken = deleting.taken(number)
        if number.reason is None or not taken:
            continue
        number.reason = f"{_sentence(str(number.reason))} {_told(taken)}"
        if number.retry_helps and deleting.retried:
            number.reason += " It stays without them until the next try, which deletes it or gives it back."
        else:
            due |= taken
    returned = yield from give_back(deleting.journal, due)
    for number in considered:
        own = [returned[key] for key in sorted(number.keys) if key in returned]
        if own and number.reason is not None:
            _note_returned(deleting, number, own)
    for orphan in orphans:
        if orphan.owed:
            deleting.numbers.append(orphan)
        elif orphan.keys and orphan.reason and not _contested(deleting, orphan):
            deleting.warnings.append(f"Number {clean(orphan.name)}: {orphan.reason}")


def _look_again(deleting: Deleting, number: NumberToDelete) -> Flow[None]:
    """Find out which links are removed: a write may have been cut off, and others may have made them again."""
    for key, entry in deleting.taken(number).items():
        try:
            is_there = yield from look_again(deleting.journal, key, entry)
        except PhonelinkError:
            continue  # so it may have been taken, which is told
        if not is_there:
            number.reason, number.step, number.retry_helps = None, "gone", False
            _note_gone(deleting, number)
            return


def _look_who_has(deleting: Deleting, number: NumberToDelete) -> Flow[None]:
    """Find out who has a number that others gave another agent than the task: it is told at the end."""
    try:
        shown: PhoneNumber = yield endpoints.get_number(number.name)
    except NotFoundError:
        now = None
    except PhonelinkError:
        return
    else:
        now = shown.incoming_calls_agent_id
    _note_what_changed_again(deleting, number, now)


def _told(taken: dict[str, Entry]) -> str:
    """Return from whom a number was taken."""
    certain = {loser(entry): entry.state is State.DONE for entry in taken.values()}
    sure = [agent for agent, was_taken in certain.items() if was_taken]
    unsure = [agent for agent, was_taken in certain.items() if not was_taken]
    told = [f"It was taken from {_agents(sure)}."] if sure else []
    if unsure:
        told.append(f"It may have been taken from {_agents(unsure)}: that could not be seen.")
    return " ".join(told)


def _note_returned(deleting: Deleting, number: NumberToDelete, own: Sequence[Returned]) -> None:
    if any(returned.is_gone for returned in own):
        number.reason, number.step, number.retry_helps = None, "deleted", False
        _note_gone(deleting, number)
        return
    back = list(dict.fromkeys(returned.agent for returned in own if returned.is_back))
    told = [f"It was given back to {_agents(back)}."] if back else []
    told += [returned.left for returned in own if returned.left]
    for returned in own:
        if returned.error:
            number.owed = True
            told.append(
                f"It could not be given back to {agent_label(returned.agent)}: {_sentence(str(returned.error))} Link "
                "it by hand, or clear the task, which deletes it or gives it back."
            )
    number.reason = " ".join([str(number.reason), *told])


def _agents(agents: Iterable[str]) -> str:
    return ", ".join(agent_label(agent) for agent in sorted(agents))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
