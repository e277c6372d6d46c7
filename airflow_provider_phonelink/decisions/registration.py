"""Is a number's registration active? One pure decision, shared by sensor, triggers, operators and command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings

#: Clocks differ, so an active registration still counts for this long after its ``expiresAt``.
SKEW = timedelta(seconds=60)
#: The only state that the vendor documents.
DISABLED = "disabled"


class Verdict(str, Enum):
    """What a registration's state means to whoever waits for it to become active."""

    ACTIVE = "active"
    FAILED = "failed"
    WAITING = "waiting"
    NEVER = "never"
    GONE = "gone"

    @property
    def ends_the_wait(self) -> bool:
        """Whether waiting longer cannot help."""
        return self in (Verdict.FAILED, Verdict.NEVER, Verdict.GONE)


@dataclass(frozen=True)
class RegistrationRules:
    """Which states count as active and which as failed. Case does not matter."""

    active_states: tuple[str, ...]
    failed_states: tuple[str, ...]
    check_expiry: bool = True

    def knows(self, state: str, states: Iterable[str]) -> bool:
        """Return whether ``state`` is one of ``states``."""
        return state.casefold() in {known.casefold() for known in states}


def rules_of(
    settings: DashaSettings, active_states: Sequence[str] | None, failed_states: Sequence[str] | None
) -> RegistrationRules:
    """Return the rules of a wait: the states it names itself, and the connection's for the rest."""
    return RegistrationRules(
        settings.active_states if active_states is None else arguments.names("active_states", active_states),
        settings.failed_states if failed_states is None else arguments.names("failed_states", failed_states),
        settings.check_expiry,
    )


@dataclass(frozen=True)
class Judgement:
    """The verdict on one number, and why."""

    number_id: str
    verdict: Verdict
    #: The vendor's literal; empty for a number that is gone.
    state: str
    #: The number, its state and whatever explains the state, for a message.
    description: str


def judge(number_id: str, number: PhoneNumber | None, rules: RegistrationRules, now: datetime) -> Judgement:
    """
    Judge one number's registration.

    :param number: The number as read, or None if there is no number with that id.
    :param now: The current time, with a time zone.
    """
    if number is None:
        return Judgement(number_id, Verdict.GONE, "", f"{number_id}: there is no such number")
    state = number.registration_status.state
    verdict, why = _verdict(number, rules, now)
    name = number.label
    return Judgement(number_id, verdict, state, f"{name}: {clean(state)}{f', {why}' if why else ''}")


def _verdict(number: PhoneNumber, rules: RegistrationRules, now: datetime) -> tuple[Verdict, str]:
    status = number.registration_status
    if rules.knows(status.state, rules.active_states):
        if rules.check_expiry and status.expires_at and _aware(status.expires_at) < now - SKEW:
            return Verdict.WAITING, f"but expired at {status.expires_at.isoformat()}"
        return Verdict.ACTIVE, ""
    if rules.knows(status.state, rules.failed_states):
        reasons = filter(None, (status.error_description, status.sip_response_message))
        return Verdict.FAILED, ", ".join(clean(reason) for reason in reasons) or "the vendor gives no reason"
    if status.state.casefold() == DISABLED and number.registration is False:
        return Verdict.NEVER, "registration is switched off, so it will never become active"
    return Verdict.WAITING, ""


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Assessment:
    """How far a wait for several numbers has come."""

    judgements: tuple[Judgement, ...]

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
    def states(self) -> dict[str, str]:
        """Each number's state, the vendor's literal."""
        return {judgement.number_id: judgement.state.replace("\0", "") for judgement in self.judgements}


def registers(number: PhoneNumber) -> bool:
    """Return whether registration is switched on; if an answer leaves that out, the state decides."""
    if number.registration is not None:
        return number.registration
    return number.registration_status.state.casefold() != DISABLED


def assess(numbers: Mapping[str, PhoneNumber | None], rules: RegistrationRules, now: datetime) -> Assessment:
    """Judge all numbers of a wait."""
    return Assessment(tuple(judge(number_id, number, rules, now) for number_id, number in numbers.items()))


def joined_descriptions(judgements: Iterable[Judgement]) -> str:
    """Return numbers with their states for a message."""
    return "; ".join(judgement.description for judgement in judgements)


def hopeless_message(assessment: Assessment) -> str:
    """Return a message that names the numbers for which waiting longer cannot help."""
    return f"Waiting longer cannot help. {joined_descriptions(assessment.hopeless)}."


def timeout_message(number_ids: Sequence[str], last: Assessment | None) -> str:
    """Return a message that names the numbers still waited for, with their last states."""
    if last is None:
        return f"Timed out; the last poll failed, so the states of {', '.join(number_ids)} are unknown."
    return f"Timed out. Still waiting for {joined_descriptions(last.waiting)}."
