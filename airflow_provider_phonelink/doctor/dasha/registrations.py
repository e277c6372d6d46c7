"""The registrations of numbers: by state, with the states that are unknown here, and what has expired."""

from __future__ import annotations

from collections import defaultdict
from datetime import timezone
from typing import TYPE_CHECKING, cast

from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.registration import Assessment, Verdict, assess, rules_of
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure, counted, named, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.decisions.registration import (
        Judgement,
        RegisteredNumber,
        RegistrationSettings,
    )
    from airflow_provider_phonelink.doctor.examination import Circumstances


def findings(numbers: Sequence[PhoneNumber], circumstances: Circumstances) -> list[Finding]:
    """Return a finding for each state and verdict, and one on how long registrations last."""
    if not numbers:
        return [unknown("registration", "there are no numbers, so no state was seen")]
    settings = cast("RegistrationSettings", circumstances.settings)
    by_id = cast("Mapping[str, RegisteredNumber | None]", {number.id: number for number in numbers})
    assessment = assess(by_id, rules_of(settings, None, None), circumstances.now)
    return [*by_state(assessment), lifetime(numbers, circumstances.now)]


def by_state(assessment: Assessment) -> list[Finding]:
    """Return a finding for each state, by what it means here."""
    groups: defaultdict[tuple[str, Verdict], list[Judgement]] = defaultdict(list)
    for judgement in assessment.judgements:
        groups[judgement.state, judgement.verdict].append(judgement)
    largest_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    how_to_tell = assessment.unknown_states
    return [_state(*key, found, how_to_tell.get(key[0], "")) for key, found in largest_first]


def _state(state: str, verdict: Verdict, found: Sequence[Judgement], how_to_tell: str) -> Finding:
    about, numbers = "registration", f"{clean(state) or 'no state'}: {counted(len(found), 'number')}"
    if found[0].unknown:
        seen = f"{numbers}, in a state that is unknown here: {_labels(found)}"
        return Finding(about=about, seen=seen, level=Level.TO_DO, sure=Sure.UNKNOWN, advice=how_to_tell)
    if verdict is Verdict.FAILED:
        advice = "Look at the SIP credentials and the provider; registrars fail for a while, too."
        described = named(judgement.description for judgement in found)
        return Finding(about=about, seen=f"{numbers} failed: {described}", level=Level.TO_DO, advice=advice)
    if verdict is Verdict.WAITING and found[0].why:
        advice = (
            "Look whether calls reach these numbers. If they do, `expiresAt` does not mean the end of a registration: "
            "set the extra `check_expiry` to false."
        )
        return Finding(
            about=about, seen=f"{numbers} have expired: {_labels(found)}", level=Level.TO_DO, advice=advice
        )
    meaning = {Verdict.ACTIVE: "active", Verdict.NEVER: "registration is switched off"}
    return Finding(about=about, seen=f"{numbers} ({meaning.get(verdict, 'waiting')})")


def lifetime(numbers: Sequence[PhoneNumber], now: datetime) -> Finding:
    """Return how far ahead the registrations end."""
    about = "registration's end"
    ends = [
        expires if expires.tzinfo else expires.replace(tzinfo=timezone.utc)
        for number in numbers
        if (expires := number.registration_status.expires_at)
    ]
    ahead = [(end - now).total_seconds() for end in ends if end > now]
    if not ahead:
        return unknown(about, "no number has an expiresAt that lies ahead")
    return Finding(about=about, seen=f"expiresAt lies at most {max(ahead):,.0f} s ahead", sure=Sure.LIKELY)


def _labels(found: Sequence[Judgement]) -> str:
    return named(judgement.description for judgement in found)
