"""Delete many numbers: afterwards each is gone, or its row says which agents use it, or what else is in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments, patience
from airflow_provider_phonelink.api.calls import Parallel, Pause
from airflow_provider_phonelink.api.dasha import outbound, reads
from airflow_provider_phonelink.api.errors import AuthenticationError, PhonelinkError, TakenError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.promises.dasha.delete import delete_seen
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.naming import directory_of
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.journal import Journal, State, inbound_key, outbound_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber

IF_LINKED = ("fail", "unlink")
OUTBOUND = "replaceOutbound"


@dataclass
class NumberToDelete:
    """A number, as it was named, and what came of it."""

    name: str
    number: PhoneNumber | None = None
    step: str | None = None
    reason: str | None = None
    retry_helps: bool = False

    def fail(self, error: PhonelinkError) -> None:
        """Note why it is not gone."""
        self.reason = f"{self.reason} {error}" if self.reason else str(error)
        self.retry_helps = self.retry_helps or error.retry_helps

    def row(self) -> NumberRow:
        """Return what came of it."""
        named_by_id = is_uuid(self.name)
        return NumberRow(
            phone_number=self.number.phone_number if self.number else None if named_by_id else self.name,
            id=self.number.id if self.number else self.name if named_by_id else None,
            step=self.step,
            state=self.number.registration_status.state if self.number else None,
            reason=self.reason,
        )


@dataclass
class Deleting:
    """
    Numbers that are to go.

    :param names: Ids and phone numbers, each once, checked.
    :param if_linked: ``fail`` leaves a number that an agent uses, ``unlink`` takes it from the agents that use it.
    """

    names: Sequence[str]
    if_linked: str = "fail"
    journal: Journal = field(default_factory=Journal)
    on_step: Callable[[str], None] = lambda _: None
    warnings: list[str] = field(default_factory=list)
    numbers: list[NumberToDelete] = field(init=False)

    def __post_init__(self) -> None:
        self.if_linked = arguments.choice("if_linked", self.if_linked, IF_LINKED)
        self.numbers = [NumberToDelete(name) for name in self.names]

    @property
    def failed(self) -> int:
        """How many are not gone."""
        return sum(number.reason is not None for number in self.numbers)

    @property
    def retry_helps(self) -> bool:
        """Whether another try may delete one more."""
        return any(number.retry_helps for number in self.numbers)

    def settle_journal(self) -> None:
        """Let the journal say what is true now, before it is told of: not what was only intended."""
        for key, entry in self.journal:
            if entry.state is State.INTENDED:
                self.journal.undo(key)


def delete_many(deleting: Deleting) -> Flow[None]:
    """
    Make sure that numbers are gone. What fails for one is its own outcome and does not stop the others.

    The vendor is never told to unlink by itself (``force``): a link that somebody makes after the look stays, and the
    number with it.

    :raises AuthenticationError: If the key is refused.
    """
    yield from _look(deleting)
    there = {number.number.id.lower(): number for number in deleting.numbers if number.number}
    _note_what_is_gone(deleting, there)
    users: dict[str, AffectedAgents] = yield from outbound.users_of(
        {id_: number.number.credentials_id.lower() for id_, number in there.items() if number.number}
    )
    yield Parallel([_delete(deleting, number, users.get(number_id)) for number_id, number in there.items()])
    deleting.journal.keep()


def _look(deleting: Deleting) -> Flow[None]:
    """Read the numbers; those that are not there several times, because they may be new."""
    missing = list(deleting.numbers)
    for pause in (*patience.PAUSES, None):
        yield from _find(missing)
        missing = [number for number in missing if number.number is None and number.reason is None]
        if not missing or pause is None:
            break
        yield Pause(pause)
    for number in missing:
        number.step = "gone"
        deleting.on_step("gone")
        if not is_uuid(number.name):
            deleting.warnings.append(
                f"There is no number {clean(number.name)}: it is gone, or was written otherwise."
            )
    _drop_repeated(deleting)


def _find(numbers: Iterable[NumberToDelete]) -> Flow[None]:
    by_id = {number.name.lower(): number for number in numbers if is_uuid(number.name)}
    by_phone_number = [number for number in numbers if not is_uuid(number.name)]
    if by_phone_number:
        listed = yield from reads.all_numbers()
        directory = directory_of(listed)
        found = {number.id.lower(): number for number in listed}
        for number in by_phone_number:
            ids = directory.with_phone_number(number.name)
            if len(ids) == 1:
                number.number = found[ids[0]]
            elif ids:
                number.reason = (
                    f"{clean(number.name)} may be any of {len(ids)} numbers, with the ids "
                    f"{', '.join(map(clean, ids))}; name one by its id"
                )
    reading = yield from reads.read_numbers(by_id)
    for number_id, number in by_id.items():
        number.number = reading.numbers.get(number_id)
        if number_id in reading.errors:
            number.fail(reading.errors[number_id])


def _drop_repeated(deleting: Deleting) -> None:
    """Keep a number once that was named by its id and by its phone number."""
    seen: set[str] = set()
    kept = []
    for number in deleting.numbers:
        number_id = number.number.id.lower() if number.number else number.name
        if number_id not in seen:
            kept.append(number)
        seen.add(number_id)
    deleting.numbers = kept


def _note_what_is_gone(deleting: Deleting, there: Iterable[str]) -> None:
    """Note in the journal what an earlier try began to unlink and then deleted."""
    gone = {number.name.lower() for number in deleting.numbers if number.step == "gone"}
    for key, entry in deleting.journal:
        if entry.number_id in gone - set(there) and entry.pending:
            deleting.journal.settle(key, None if entry.mode == INBOUND else entry.agent_id)


def _delete(deleting: Deleting, number: NumberToDelete, users: AffectedAgents | None) -> Flow[None]:
    if number.number is None or number.reason is not None:
        return
    _note_what_was_taken(deleting.journal, number.number, users)
    taken: list[tuple[str, str]] = []
    try:
        links = _links(number.number, users)
        if links and deleting.if_linked == "fail":
            raise _in_use(number.number, links)
        for agent, mode in links:
            outcome = yield from unlink_number(number.number.id, mode, agent, journal=deleting.journal)
            if outcome.changed:
                taken.append((agent, mode))
        outcome_of_delete = yield from delete_seen(number.number)
    except AuthenticationError:  # the key is everybody's
        raise
    except PhonelinkError as error:
        number.fail(error)
        if not error.retry_helps:
            yield from _give_back(deleting, number, taken)
    else:
        number.step = "deleted"
        _note_who_has_none(deleting.journal, number.number.id.lower())
        deleting.warnings += outcome_of_delete.warnings
    deleting.on_step(number.step or "failed")


def _note_what_was_taken(journal: Journal, number: PhoneNumber, users: AffectedAgents | None) -> None:
    """Note in the journal which links an earlier try has removed, as it was about to."""
    for key, entry in journal:
        if entry.number_id != number.id.lower() or entry.state is not State.INTENDED:
            continue
        if entry.mode == INBOUND and number.incoming_calls_agent_id != entry.holder:
            journal.settle(key, number.incoming_calls_agent_id)
        elif entry.mode != INBOUND and users and entry.agent_id not in users.outbound:
            journal.settle(key, entry.agent_id)


def _note_who_has_none(journal: Journal, number_id: str) -> None:
    """Nobody has a deleted number, whoever had it when it was taken from an agent."""
    for key, entry in journal:
        if entry.number_id == number_id and entry.mode == INBOUND and entry.pending:
            journal.settle(key, None)


def _links(number: PhoneNumber, users: AffectedAgents | None) -> list[tuple[str, str]]:
    inbound = number.incoming_calls_agent_id
    calling = sorted(users.outbound) if users else []
    return [*([(inbound, "inbound")] if inbound else []), *((agent, OUTBOUND) for agent in calling)]


def _in_use(number: PhoneNumber, links: Iterable[tuple[str, str]]) -> TakenError:
    uses = "; ".join(
        f"{agent_label(agent)} {'answers its calls' if mode == 'inbound' else 'calls out with it'}"
        for agent, mode in links
    )
    return TakenError(
        f"Number {number.label} is in use: {uses}. It was not deleted (if_linked='fail'). Nothing was changed."
    )


def _give_back(deleting: Deleting, number: NumberToDelete, taken: Iterable[tuple[str, str]]) -> Flow[None]:
    """Give a number that cannot be deleted back to its agents, unless somebody else has it by now."""
    for agent, mode in taken:
        number_id = str(number.row().id)
        try:
            yield from link_number(number_id, agent, mode, if_linked="fail")
        except AuthenticationError:
            raise
        except PhonelinkError as error:
            number.fail(error)
        else:
            key = inbound_key(number_id.lower()) if mode == "inbound" else outbound_key(agent)
            deleting.journal.undo(key)
            number.reason = f"{number.reason} It was given back to {agent_label(agent)}."
