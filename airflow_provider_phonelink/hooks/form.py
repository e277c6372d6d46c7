"""The connection forms for Airflow before 3.2; later versions read them from the provider's metadata themselves."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow_provider_phonelink.get_provider_info import get_provider_info


def field_behaviour(conn_type: str) -> dict[str, Any]:
    """Return which of a connection's own fields the form hides, and how it labels the others."""
    behaviour = _connection_type(conn_type)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in behaviour.items()}


def widgets(conn_type: str) -> dict[str, Any]:
    """
    Return a WTForms field for each extra.

    :raises ImportError: If WTForms is missing; Airflow then shows the form without them.
    """
    wtforms = import_module("wtforms")
    fields = _connection_type(conn_type)["conn-fields"]
    return {name: _widget(wtforms, field) for name, field in fields.items()}


def _widget(wtforms: Any, field: dict[str, Any]) -> Any:
    schema = field["schema"]
    if schema.get("format") == "password":
        kind = wtforms.PasswordField
    elif "boolean" in schema["type"]:
        kind = wtforms.BooleanField
    elif "integer" in schema["type"]:
        kind = wtforms.IntegerField
    else:  # numbers, too: Airflow accepts no other kinds of field
        kind = wtforms.StringField
    return kind(field["label"], description=field["description"], default=schema.get("default"))


def _connection_type(conn_type: str) -> dict[str, Any]:
    types: list[dict[str, Any]] = get_provider_info()["connection-types"]
    return next(entry for entry in types if entry["connection-type"] == conn_type)
