"""Where Airflow's connections really lead: it asks a secrets backend before it looks at the environment."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENVIRONMENT = "airflow.secrets.environment_variables.EnvironmentVariablesBackend"


def strays(connections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """
    Say which connections Airflow would take from elsewhere than from the environment, and where that is.

    A backend that fails counts, too: Airflow then goes on to the environment, but the next time the backend may answer.

    :param connections: By id, the fields that each is to have.
    """
    try:
        chains = list(_chains())
    except Exception as error:
        yield f"Airflow's secrets backend cannot be made ({type(error).__name__}: {error})."
        return
    for conn_id, wanted in connections.items():
        yield from dict.fromkeys(filter(None, (_stray(conn_id, wanted, chain) for chain in chains)))


def _chains() -> Iterator[list[Any]]:
    """Give the backends that Airflow asks, in order: for tasks and triggers, and for the rest of it."""
    for place in ("airflow.sdk.configuration", "airflow.configuration"):
        try:
            load = import_module(place).ensure_secrets_loaded
        except (ImportError, AttributeError):  # each Airflow has one of them at least
            continue
        yield load(default_backends=[_ENVIRONMENT])
        yield load()


def _stray(conn_id: str, wanted: Mapping[str, Any], chain: list[Any]) -> str | None:
    for backend in chain:
        name = type(backend).__name__
        try:
            found = backend.get_connection(conn_id=conn_id)
        except Exception as error:
            return f"{name} could not be asked for `{conn_id}` ({type(error).__name__})."
        if found:
            return None if _leads(found, wanted) else f"{name} has a `{conn_id}` of its own."
    return f"Nothing has a `{conn_id}`."


def _leads(found: Any, wanted: Mapping[str, Any]) -> bool:
    return not found.extra and all(getattr(found, field) == value for field, value in wanted.items())
