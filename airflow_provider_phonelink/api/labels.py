"""How messages refer to a number and to an agent. Ids and phone numbers in them are safe to log."""

from __future__ import annotations

from airflow_provider_phonelink.api.text import clean


def number_label(number_id: str, phone_number: str | None = None) -> str:
    """Return how a message refers to a number: the phone number, if it is known, and the id."""
    return f"{clean(phone_number)} (id {clean(number_id)})" if phone_number else clean(number_id)


def agent_label(agent_id: str | None) -> str:
    """Return how a message refers to an agent: ``agent`` and its id, or ``nobody``."""
    return f"agent {clean(agent_id)}" if agent_id else "nobody"
