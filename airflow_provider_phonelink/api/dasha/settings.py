"""What a client of Dasha BlackBox needs to know."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, field_validator

from airflow_provider_phonelink.api.dasha.models import (
    INBOUND_USE,
    OUTBOUND_USES,
    AffectedAgents,
    CredentialsUsers,
)
from airflow_provider_phonelink.api.settings import Settings
from airflow_provider_phonelink.vendors import DASHA

T = TypeVar("T")


def _split(value: object) -> object:
    """Accept a list written as ``A, B``, for places where JSON is awkward, such as a connection URI."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]


class DashaSettings(Settings):
    """Settings for Dasha BlackBox."""

    default_base_url = DASHA.base_url
    console_numbers = "phone-numbers"

    #: Registration states that count as active, regardless of case.
    active_states: Words = ("Registered", "Active")
    #: Registration states that count as failed, regardless of case.
    failed_states: Words = ("Failed", "Error", "Rejected")
    #: Whether an active state counts only until its ``expiresAt``.
    check_expiry: bool = True
    #: The words in ``uses`` that mean an outbound link, regardless of case.
    outbound_uses: Words = OUTBOUND_USES

    @field_validator("outbound_uses")
    @classmethod
    def _leaves_inbound_links_alone(cls, uses: tuple[str, ...]) -> tuple[str, ...]:
        if INBOUND_USE in map(str.lower, uses):
            raise ValueError(f"has {INBOUND_USE!r} in it, which is the word for the other links")
        return uses

    def understood(self, answer: T) -> T:
        """Return an answer, with the connection's words for outbound links."""
        if isinstance(answer, (AffectedAgents, CredentialsUsers)) and self.outbound_uses != OUTBOUND_USES:
            answer.read_by(self.outbound_uses)
        return answer
