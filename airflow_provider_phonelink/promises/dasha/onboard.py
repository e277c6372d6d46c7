"""Onboard: afterwards each number exists, is registered and has its agents, or its row says why not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_phonelink.api.dasha import endpoints, reads
from airflow_provider_phonelink.api.errors import (
    NotFoundError,
    PhonelinkError,
)
from airflow_provider_phonelink.api.text import first_warnings
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.registration import Verdict, assess, registers
from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.promises.dasha.create_many import (
    batch_to_create,
    create_batch,
    find_existing,
)
from airflow_provider_phonelink.promises.dasha.link_many import (
    NumberToLink,
    is_final,
    link_many,
    read_callers,
)
from airflow_provider_phonelink.promises.dasha.wait import connections_rules
from airflow_provider_phonelink.promises.journal import Journal, State, outbound_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.limits import MaxChanges
    from airflow_provider_phonelink.decisions.onboarding import NumberWish
    from airflow_provider_phonelink.decisions.registration import Judgement, RegistrationRules
    from airflow_provider_phonelink.decisions.waiting import Doubts
    from airflow_provider_phonelink.promises.entries import Entry

#: Called as soon as a step is done for a number, or has failed, possibly from several threads.
OnStep: TypeAlias = "Callable[[str], None]"


@dataclass
class Progress:
    """How far one number has come."""

    wish: NumberWish
    number: PhoneNumber | None = None
    step: str | None = None
    #: The state of its registration at the last look, and what explains it.
    judgement: Judgement | None = None
    #: Why it came no further.
    reason: str | None = None
    retry_helps: bool = False
    #: Whether its registration is waited for.
    waiting: bool = False

    def fail(self, error: PhonelinkError) -> None:
        """Note why it comes no further."""
        self.reason, self.retry_helps = str(error), error.retry_helps

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done for it."""
        return self.reason is None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is waited for, for it or for others before it."""
        return not self.is_open or (self.number is not None and not self.waiting)

    @property
    def why_unfinished(self) -> str:
        """What is waited for."""
        if self.judgement is None:
            return "not created yet, because it was waited for the registrations of those before it"
        return f"not registered yet: {self.judgement.reason}"

    @property
    def registers(self) -> bool:
        """Whether its registration has to be active before it is linked."""
        wanted = self.wish.registration
        return self.number is not None and (registers(self.number) if wanted is None else wanted)

    def row(self) -> NumberRow:
        """Return how far it has come."""
        return NumberRow(
            phone_number=self.number.phone_number if self.number else self.wish.phone_number,
            id=self.number.id if self.number else None,
            step=self.step,
            state=self.number.registration_status.state if self.number else None,
            reason=self.reason,
        )


@dataclass
class Onboarding:
    """
    Numbers that are to be onboarded, and how far each has come.

    :param wishes: The numbers, each once.
    :param bad: A row for each that cannot even be tried.
    :param if_exists: As for :func:`.create.create_number`.
    :param if_linked: As for :func:`.link.link_number`.
    :param limit: More failures than this stop before further numbers are created.
    :param doubts: What is not decided by one look; None to believe each look.
    :param refused: What this try of the task must not write again, with the reason: the vendor refused it, or somebody
        else has changed it since. More is added.
    """

    wishes: Sequence[NumberWish]
    bad: Sequence[NumberRow] = ()
    if_exists: str = "adopt"
    if_linked: str = "replace"
    limit: MaxChanges | None = None
    doubts: Doubts | None = None
    refused: dict[str, str] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    on_step: OnStep = lambda _: None
    warnings: list[str] = field(default_factory=list)
    #: A sentence for each state that is unknown here and was not told of before.
    unknown_states: list[str] = field(default_factory=list)
    numbers: list[Progress] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = [Progress(wish) for wish in self.wishes]
        self.warnings += [sentence for wish in self.wishes for sentence in wish.notations]

    def rows(self) -> list[NumberRow]:
        """Return a row for each number: those that could not be tried last."""
        return [*(number.row() for number in self.numbers), *self.bad]

    def rows_so_far(self) -> list[NumberRow]:
        """Return the rows as they are while numbers are waited for: those have a reason, too."""
        return [
            *(
                number.row() if number.is_finished else replace(number.row(), reason=number.why_unfinished)
                for number in self.numbers
            ),
            *self.bad,
        ]

    @property
    def waiting(self) -> list[str]:
        """The ids of the numbers whose registrations are waited for."""
        return [
            number.number.id for number in self.numbers if number.number and number.waiting and number.is_open
        ]

    @property
    def failed(self) -> int:
        """How many numbers come no further."""
        return len(self.bad) + sum(not number.is_open for number in self.numbers)

    @property
    def is_stopped(self) -> bool:
        """Whether more failed than may."""
        total = len(self.bad) + len(self.numbers)
        return self.limit is not None and self.limit.is_exceeded(self.failed, total)

    @property
    def told_warnings(self) -> list[str]:
        """What somebody should look into, bounded."""
        return first_warnings(self.warnings)

    @property
    def retry_helps(self) -> bool:
        """Whether another try may bring a number further."""
        return any(number.retry_helps for number in self.numbers)

    def give_up(self, seconds: float) -> None:
        """Note for each number that is waited for, or for whose sake others are not created, that time is up."""
        for number in self.numbers:
            if number.is_open and number.waiting and number.judgement:
                number.reason = f"not registered after {seconds:g} s: {number.judgement.reason}"
            elif number.is_open and number.number is None:
                number.reason = (
                    "not created, because most of those before it, of which max_failed is to be counted, were not "
                    f"registered after {seconds:g} s"
                )

    def settle_journal(self) -> None:
        """Let the journal say what is true now, before it is told of."""
        now = {
            number.number.id: number.number.incoming_calls_agent_id
            for number in self.numbers
            if number.number
        }
        for key, entry in self.journal:
            if entry.mode != INBOUND:
                if (
                    entry.state is State.CONTESTED
                ):  # the agent calls out with a number that somebody else gave it
                    self.journal.drop(key)
            elif entry.state in (State.CONTESTED, State.DONE) and entry.number_id in now:
                self.journal.settle(key, now[entry.number_id])


def onboard(onboarding: Onboarding) -> Flow[None]:
    """
    Do for each number what can be done now: create or adopt it, and link it once it is registered.

    What fails for one number is in its row and does not stop the others. What :attr:`Onboarding.waiting` names has to
    be waited for, and then this is called again.

    :raises AuthenticationError: If the key is refused.
    :raises VendorError: If the numbers cannot be read.
    """
    rules = yield from connections_rules()
    yield from find_existing(onboarding)
    _judge(onboarding, rules)
    while batch := batch_to_create(onboarding):
        yield from create_batch(onboarding, batch)
        _judge(onboarding, rules)
    if onboarding.is_stopped:
        _hold_back(onboarding)
    yield from _note_held(onboarding)
    yield from _link(onboarding)
    yield from _catch_up(onboarding)


def _catch_up(onboarding: Onboarding) -> Flow[None]:
    """
    Find out what became of links that an earlier try made, or began with, and that nobody asks for any more.

    :raises VendorError: If that cannot be read, for then it cannot be told, either.
    """
    journal = onboarding.journal
    asked = {key for _, link in _with_links(onboarding.numbers) for key in link.keys}
    unknown = [
        (key, entry)
        for key, entry in journal
        if entry.state is State.INTENDED or (entry.is_done and key not in asked)
    ]
    reading = yield from reads.read_numbers(
        {entry.number_id for _, entry in unknown if entry.mode == INBOUND}
    )
    for error in reading.errors.values():
        raise error
    for key, entry in unknown:
        if entry.mode == INBOUND:
            number = reading.numbers.get(entry.number_id)
            if number and (entry.is_done or number.incoming_calls_agent_id == entry.agent_id):
                journal.settle(key, number.incoming_calls_agent_id)
        elif (yield from _calls_out(entry)):
            journal.settle(key, entry.agent_id)
        elif entry.is_done:  # somebody else has given the agent another number since
            journal.drop(key)


def _calls_out(entry: Entry) -> Flow[bool]:
    """Return whether the agent of an outbound link calls out with its number."""
    try:
        users: AffectedAgents = yield endpoints.affected_agents(entry.number_id)
    except NotFoundError:
        return False
    return entry.agent_id in users.outbound


def _judge(onboarding: Onboarding, rules: RegistrationRules) -> None:
    """Judge the registrations of all numbers that are there."""
    there = {
        number.number.id: number
        for number in onboarding.numbers
        if number.is_open and number.number and number.registers
    }
    now = datetime.now(timezone.utc)
    assessment = assess({number_id: number.number for number_id, number in there.items()}, rules, now)
    if onboarding.doubts:
        assessment = onboarding.doubts.weigh(assessment, now)
        onboarding.unknown_states += onboarding.doubts.first_time_unknown(assessment)
    for judgement in assessment.judgements:
        _take(there[judgement.number_id], judgement)


def _take(number: Progress, judgement: Judgement) -> None:
    number.judgement, number.waiting = judgement, judgement.verdict is Verdict.WAITING
    if judgement.verdict is Verdict.ACTIVE:
        number.step = "registered"
    elif not number.waiting:
        number.reason = f"not registered: {judgement.reason}"


def _hold_back(onboarding: Onboarding) -> None:
    failed = onboarding.failed
    for number in onboarding.numbers:
        if number.is_open and number.number is None:
            number.reason = f"not created, because {failed} others failed and max_failed={onboarding.limit}"


def _with_links(numbers: Iterable[Progress]) -> list[tuple[Progress, NumberToLink]]:
    """Return those of the numbers that are there and that somebody is to have."""
    return [
        (
            number,
            NumberToLink(number.number, number.wish.inbound_agent_id, number.wish.outbound_agent_id),
        )
        for number in numbers
        if number.number and number.wish.links
    ]


def _note_held(onboarding: Onboarding) -> Flow[None]:
    """Note which numbers are linked as wished although their registrations are not active, or not any more."""
    held = [
        (number, link)
        for number, link in _with_links(onboarding.numbers)
        if number.step and (number.waiting or not number.is_open) and _may_be_held(link, onboarding.journal)
    ]
    users = (yield from read_callers([link for _, link in held])).users
    for number, link in held:
        if link.outbound is None or (link.id in users and link.outbound in users[link.id].outbound):
            number.step = "linked"


def _may_be_held(link: NumberToLink, journal: Journal) -> bool:
    """Return whether a number is linked as wished, as far as that shows without a further read."""
    if link.inbound:
        return link.number.incoming_calls_agent_id == link.inbound
    entry = journal.of(outbound_key(str(link.outbound)))
    return entry is not None and entry.is_done and entry.number_id == link.id


def _link(onboarding: Onboarding) -> Flow[None]:
    """Link the numbers that are ready."""
    ready = _with_links(number for number in onboarding.numbers if number.is_open and not number.waiting)
    by_link = {id(link): number for number, link in ready}

    def note(link: NumberToLink) -> None:
        number = by_link[id(link)]
        number.number = link.number
        onboarding.refused.update({key: str(error) for key, error in link.errors.items() if is_final(error)})
        if link.done:
            number.step = "linked"
        else:
            number.reason = " ".join(str(error) for error in link.errors.values())
            number.retry_helps = any(error.retry_helps for error in link.errors.values())
        onboarding.on_step(number.step if number.is_open and number.step else "failed")

    yield from link_many(
        [link for _, link in ready],
        if_linked=onboarding.if_linked,
        journal=onboarding.journal,
        refused=onboarding.refused,
        on_done=note,
    )
