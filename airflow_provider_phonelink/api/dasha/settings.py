"""What a client of Dasha BlackBox needs to know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from airflow_provider_phonelink.api.settings import Settings
from airflow_provider_phonelink.vendors import DASHA


def _split(value: object) -> object:
    """Accept a list written as ``A, B``, for places where JSON is awkward, such as a connection URI."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


StateNames = Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]


class DashaSettings(Settings):
    """Settings for Dasha BlackBox."""

    default_base_url = DASHA.base_url
    console_numbers = "phone-numbers"

    #: Registration states that count as active, regardless of case.
    active_states: StateNames = ("Registered", "Active")
    #: Registration states that count as failed, regardless of case.
    failed_states: StateNames = ("Failed", "Error", "Rejected")
    #: Whether an active state counts only until its ``expiresAt``.
    check_expiry: bool = True
