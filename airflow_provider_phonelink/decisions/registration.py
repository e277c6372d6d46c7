"""Is a number's registration active? One pure decision, shared by sensor, triggers, operators and command line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_phonelink.api import templates
from airflow_provider_phonelink.api.labels import number_label
from airflow_provider_phonelink.api.text import clean, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

#: Clocks differ, so an active registration still counts for this long after its ``expiresAt``.
SKEW = timedelta(seconds=60)
#: The only state that the vendor documents.
DISABLED = "disabled"


class Registration(Protocol):
    """The registration of a number with its SIP provider, as a vendor describes it."""

    @property
    def state(self) -> str:
        """The vendor's literal; empty if it cannot be read."""

    @property
    def error_description(self) -> str | None:
        """Why it failed, if the vendor says so."""

    @property
    def sip_response_message(self) -> str | None:
        """What the SIP provider answered, if the vendor says so."""

    @property
    def expires_at(self) -> datetime | None:
        """When an active registration ends unless it is renewed."""

    @property
    def unreadable(self) -> Collection[str]:
        """The names of the fields that the vendor sent and that cannot be read."""


class RegisteredNumber(Protocol):
    """A number that may have a registration."""

    @property
    def phone_number(self) -> str:
        """As the vendor writes it."""

    @property
    def registration(self) -> bool | None:
        """Whether it is to register; None if the vendor does not say."""

    @property
    def registration_status(self) -> Registration:
        """Its registration."""

    @property
    def unreadable(self) -> Collection[str]:
        """The names of the fields that the vendor sent and that cannot be read."""


class RegistrationSettings(Protocol):
    """The settings of a client by which registrations are judged."""

    active_states: tuple[str, ...]
    failed_states: tuple[str, ...]
    check_expiry: bool
    source: str


class Verdict(str, Enum):
    """What a registration's state means to whoever waits for it to become active."""

    ACTIVE = "active"
    FAILED = "failed"
    WAITING = "waiting"
    NEVER = "never"
    GONE = "gone"
    #: The key may not read this number, whatever it may do with others.
    REFUSED = "refused"

    @property
    def ends_the_wait(self) -> bool:
        """Whether waiting longer cannot help."""
        return self not in (Verdict.ACTIVE, Verdict.WAITING)


@dataclass(frozen=True)
class RegistrationRules:
    """Which states count as active and which as failed. Case does not matter."""

    active_states: tuple[str, ...]
    failed_states: tuple[str, ...]
    check_expiry: bool = True
    #: Where somebody who knows what a state means can say so.
    active_place: str = "`active_states`"
    failed_place: str = "`failed_states`"

    @cached_property
    def active(self) -> frozenset[str]:
        """The active states, in the form in which states are compared."""
        return frozenset(_comparable(state) for state in self.active_states)

    @cached_property
    def failed(self) -> frozenset[str]:
        """The failed states, in the form in which states are compared."""
        return frozenset(_comparable(state) for state in self.failed_states)


#: Thousands of waits on a connection have the same rules: once in memory.
_shared = lru_cache(maxsize=64)(RegistrationRules)


def rules_of(
    settings: RegistrationSettings, active_states: Sequence[str] | None, failed_states: Sequence[str] | None
) -> RegistrationRules:
    """Return the rules of a wait: the states it names itself, and the connection's for the rest."""
    return _shared(
        settings.active_states if active_states is None else templates.names("active_states", active_states),
        settings.failed_states if failed_states is None else templates.names("failed_states", failed_states),
        settings.check_expiry,
        extra_of("active_states", settings.source)
        if active_states is None
        else "this wait's `active_states`",
        extra_of("failed_states", settings.source)
        if failed_states is None
        else "this wait's `failed_states`",
    )


def extra_of(name: str, source: str) -> str:
    """Return how a message refers to an extra; ``source`` names its connection."""
    return f"the extra `{name}` of {source[:1].lower()}{source[1:]}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one number, and why."""

    number_id: str
    verdict: Verdict
    #: The state as the vendor writes it; empty if it, or the number, could not be read.
    state: str = ""
    phone_number: str | None = None
    #: A clause that explains the verdict; may be empty.
    why: str = ""
    #: Whether the state is in neither set.
    unknown: bool = False

    @property
    def reason(self) -> str:
        """The state and whatever explains it."""
        if self.phone_number is None:
            return self.why
        return ", ".join(filter(None, (clean(self.state), self.why)))

    @property
    def description(self) -> str:
        """The number, its state and whatever explains it, for a message."""
        return f"{number_label(self.number_id, self.phone_number)}: {self.reason}"


def judge(
    number_id: str, number: RegisteredNumber | None, rules: RegistrationRules, now: datetime
) -> Judgement:
    """
    Judge one number's registration.

    :param number: The number as read, or None if there is no number with that id.
    :param now: When the look was made, with a time zone.
    """
    if number is None:
        return Judgement(number_id, Verdict.GONE, why="there is no such number")
    state = number.registration_status.state
    verdict, why, unknown = _verdict(number, rules, now)
    return Judgement(number_id, verdict, state, number.phone_number, why, unknown)


def _verdict(number: RegisteredNumber, rules: RegistrationRules, now: datetime) -> tuple[Verdict, str, bool]:
    status = number.registration_status
    state = _comparable(status.state)
    if state in rules.active:
        if rules.check_expiry and status.expires_at and _aware(status.expires_at) < now - SKEW:
            return Verdict.WAITING, f"but expired at {status.expires_at.isoformat()}", False
        if rules.check_expiry and "expires_at" in status.unreadable:
            return Verdict.WAITING, "but when it expires cannot be read", False
        return Verdict.ACTIVE, "", False
    if state in rules.failed:
        reasons = filter(None, (status.error_description, status.sip_response_message))
        why = ", ".join(clean(reason) for reason in reasons) or "the vendor gives no reason"
        return Verdict.FAILED, why, False
    if state == DISABLED:
        if number.registration is False:
            return Verdict.NEVER, "registration is switched off, so it will never become active", False
        return Verdict.WAITING, "", False
    why = "a state that is unknown here" if state else "no registration state that can be read"
    return Verdict.WAITING, why, True


def _comparable(state: str) -> str:
    return state.strip().casefold()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far a wait for several numbers has come."""

    judgements: tuple[Judgement, ...]
    rules: RegistrationRules | None = None

    @property
    def done(self) -> bool:
        """Whether every number is active."""
        return all(judgement.verdict is Verdict.ACTIVE for judgement in self.judgements)

    @property
    def hopeless(self) -> tuple[Judgement, ...]:
        """The numbers for which waiting longer cannot help."""
        return tuple(judgement for judgement in self.judgements if judgement.verdict.ends_the_wait)

    @property
    def waiting(self) -> tuple[Judgement, ...]:
        """The numbers that are not active yet."""
        return tuple(judgement for judgement in self.judgements if judgement.verdict is Verdict.WAITING)

    @property
    def summary(self) -> str:
        """The whole wait in one line."""
        active = sum(judgement.verdict is Verdict.ACTIVE for judgement in self.judgements)
        line = f"{active} of {len(self.judgements)} numbers are active"
        rest = [judgement for judgement in self.judgements if judgement.verdict is not Verdict.ACTIVE]
        return f"{line}. Not active: {joined_descriptions(rest)}." if rest else f"{line}."

    @property
    def short_summary(self) -> str:
        """The whole wait in one line that names only the first numbers, for a wait for hundreds."""
        counts = Counter(judgement.verdict for judgement in self.judgements)
        waiting = f"{counts[Verdict.WAITING]} waiting, {len(self.hopeless)} failed"
        line = f"{counts[Verdict.ACTIVE]} of {len(self.judgements)} numbers are active, {waiting}"
        rest = [judgement.description for judgement in (*self.hopeless, *self.waiting)]
        return f"{line}. Not active: {listed(rest)}." if rest else f"{line}."

    @property
    def states(self) -> dict[str, str]:
        """Each number's state, as the vendor writes it."""
        return _states(self.judgements)

    @property
    def report(self) -> dict[str, Any]:
        """The result for each number: the ids of active ones, why others failed, the states of the rest."""
        return {
            "active": [j.number_id for j in self.judgements if j.verdict is Verdict.ACTIVE],
            "failed": {judgement.number_id: judgement.reason for judgement in self.hopeless},
            "waiting": _states(self.waiting),
        }

    @property
    def unknown_states(self) -> dict[str, str]:
        """Each state that is in neither set, with a sentence on how to add it."""
        return {
            judgement.state: self._how_to_tell(clean(judgement.state))
            for judgement in self.waiting
            if judgement.unknown
        }

    def _how_to_tell(self, state: str) -> str:
        if not state:
            return (
                "A registration state that cannot be read counts as not active yet: ask the vendor about it."
            )
        rules = self.rules or RegistrationRules((), ())
        return (
            f"The registration state '{state}' is unknown here and counts as not active yet. If it means active, add "
            f"it to {rules.active_place}; if it means failed, to {rules.failed_place}."
        )


def _states(judgements: Iterable[Judgement]) -> dict[str, str]:
    return {judgement.number_id: judgement.state.replace("\0", "") for judgement in judgements}


def registers(number: RegisteredNumber) -> bool:
    """Return whether registration is switched on; if an answer leaves that out, the state decides, if there is one."""
    if "registration" in number.unreadable:
        return True  # so nobody is given a number that may never register
    if number.registration is not None:
        return number.registration
    return _comparable(number.registration_status.state) not in ("", DISABLED)


def assess(
    numbers: Mapping[str, RegisteredNumber | None],
    rules: RegistrationRules,
    now: datetime,
    refused: Mapping[str, Exception] | None = None,
) -> Assessment:
    """
    Judge all numbers of a wait.

    :param refused: The vendor's errors for numbers that this key may not read.
    """
    judgements = [judge(number_id, number, rules, now) for number_id, number in numbers.items()]
    judgements += [
        Judgement(number_id, Verdict.REFUSED, why=clean(error).rstrip("."))
        for number_id, error in (refused or {}).items()
    ]
    return Assessment(tuple(judgements), rules)


def joined_descriptions(judgements: Iterable[Judgement]) -> str:
    """Return the first numbers with their states, and how many more there are, for a message."""
    return listed(judgement.description for judgement in judgements)


def hopeless_message(assessment: Assessment) -> str:
    """Return a message that names the numbers for which waiting longer cannot help."""
    return f"Waiting longer cannot help. {joined_descriptions(assessment.hopeless)}."


def timeout_message(number_ids: Sequence[str], last: Assessment | None) -> str:
    """Return a message that names the numbers still waited for, with their last states."""
    if last is None:
        return f"Timed out; the last poll failed, so the states of {listed(number_ids)} are unknown."
    unknown = "".join(f" {sentence}" for sentence in last.unknown_states.values())
    return f"Timed out. Still waiting for {joined_descriptions(last.waiting)}.{unknown}"
