"""How numbers and agents are called in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.text import clean

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


def named(number: PhoneNumber) -> str:
    """Return a number's name to begin a message with."""
    return f"Number {which(number)}"


def which(number: PhoneNumber) -> str:
    """Return a number's name within a message."""
    return f"{clean(number.phone_number)} (id {clean(number.id)})"


def who(agent_id: str | None) -> str:
    """Return an agent's name for a message."""
    return f"agent {clean(agent_id)}" if agent_id else "nobody"
