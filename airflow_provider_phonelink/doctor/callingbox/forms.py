"""How CallingBox writes links and errors."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import endpoints
from airflow_provider_phonelink.doctor.callingbox.readings import NOBODY
from airflow_provider_phonelink.doctor.findings import Finding, Level, as_far_as_read, counted, unknown
from airflow_provider_phonelink.doctor.phone_numbers import LIST_NUMBERS, unread_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_phonelink.api.observing import Observed
    from airflow_provider_phonelink.doctor.callingbox.readings import Readings


def links_shown(readings: Readings) -> Finding:
    """Return whether the list of numbers says which agents have them."""
    about, numbers = "links in lists", readings.numbers
    if not numbers:
        return unknown(about, "there are no numbers to tell by")
    silent = sum(not number.tells_links for number in numbers)
    if not silent:
        finding = Finding(about=about, seen="every number says which agents have it")
        return as_far_as_read(finding, unread_numbers(readings.complete, len(numbers)), LIST_NUMBERS)
    return Finding(
        about=about,
        seen=f"{counted(silent, 'number')} of {len(numbers):,} do not say which agents have them",
        level=Level.TO_DO,
        advice="Routes cannot be planned, and a number's inbound agent cannot be told: ask the vendor.",
    )


def no_outbound(source: Any) -> Finding:
    """Return how a number without outbound agents is written. Null and an empty list mean the same."""
    about = "no outbound agents"
    items = source.get("data", ()) if isinstance(source, dict) else source
    told = [item["outbound_agent_ids"] for item in items if "outbound_agent_ids" in item]
    ways = {"null" if ids is None else "an empty list" for ids in told if not ids}
    if not ways:
        return unknown(about, "no number without outbound agents was seen that says so")
    return Finding(about=about, seen=f"written as {' or '.join(sorted(ways))}")


def errors(traffic: Iterable[Observed]) -> Finding:
    """Return how the vendor writes errors, as the read of an agent that does not exist shows it."""
    about = "form of errors"
    nobody = endpoints.get_agent(NOBODY).path
    answers = [observed for observed in traffic if observed.path == nobody]
    if not answers:
        return unknown(about, "there was no answer about an agent that does not exist")
    last = answers[-1]
    if last.status == HTTPStatus.TOO_MANY_REQUESTS or last.status not in range(400, 500):
        why = f"an agent that does not exist was answered with {last.status}, which says nothing of the agent"
        return unknown(about, why, "Run the doctor again.")
    return Finding(about=about, seen=f"{last.status} with {_form(last.refusal)}")


def _form(body: bytes) -> str:
    if not body.strip():
        return "no body"
    try:
        document = json.loads(body)
    except ValueError:
        return "no JSON"
    if not isinstance(document, dict):
        return "JSON that is no object"
    if isinstance(document.get("error"), dict):
        return '{"error": {"message": text}}'
    return next(
        (f'{{"{name}": text}}' for name in ("error", "message") if name in document), "another object"
    )
