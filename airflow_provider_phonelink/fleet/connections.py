"""Which connections the page shows, and to whom."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.metrics import measure_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_phonelink.decisions.fleet import Fleet

_IN_THE_ENVIRONMENT = "AIRFLOW_CONN_"


def visible_connections(user: Any) -> dict[str, str]:
    """
    Return the connections of our types that a user may see, each with its type.

    Connections in Airflow's database and in the environment of the API server; a secrets backend cannot list what it
    has, so those that are in one are named by ``page_connections`` in Airflow's configuration.

    :param user: As Airflow's own authentication tells.
    """
    found = dict(sorted((*_named(), *_in_the_environment(), *_in_the_database())))
    allowed = _allowed(set(found), user)
    return {conn_id: kind for conn_id, kind in found.items() if conn_id in allowed}


class FleetReader:
    """
    Reads all numbers of a connection, given by its id.

    :raises PhonelinkFailException: If the connection cannot be used, or the vendor refuses.
    :raises PhonelinkRetryableException: If the vendor does not answer; a request is tried twice.
    """

    def __init__(self) -> None:
        #: The types of connections that somebody has asked for.
        self.kinds: dict[str, str] = {}

    async def __call__(self, conn_id: str) -> Fleet:  # noqa: D102 - see the class
        vendor: Any = vendors.find(self.kinds[conn_id])
        async with vendors.load(vendor.hook)(conn_id, max_retries=1) as hook:
            fleet: Fleet = await hook.arun(vendors.load(vendor.fleet)())
        if vendor.registrations:
            measure_numbers(vendor.key, conn_id, (number.verdict for number in fleet.numbers))
        return fleet


def _shown_kinds() -> list[str]:
    return [vendor.key for vendor in vendors.VENDORS if vendor.fleet]


def _in_the_database() -> Iterator[tuple[str, str]]:
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(Connection.conn_id, Connection.conn_type).where(
            Connection.conn_type.in_(_shown_kinds())
        )
        yield from ((conn_id, kind) for conn_id, kind in session.execute(query).all())


def _in_the_environment() -> Iterator[tuple[str, str]]:
    names = [
        name.removeprefix(_IN_THE_ENVIRONMENT) for name in os.environ if name.startswith(_IN_THE_ENVIRONMENT)
    ]
    yield from _of_our_kinds(name.lower() for name in names)


def _named() -> Iterator[tuple[str, str]]:
    from airflow.configuration import conf

    named = conf.get("phonelink", "page_connections", fallback="") or ""
    yield from _of_our_kinds(name.strip() for name in named.split(",") if name.strip())


def _of_our_kinds(conn_ids: Iterator[str]) -> Iterator[tuple[str, str]]:
    from airflow_provider_phonelink.compat import BaseHook

    for conn_id in conn_ids:
        try:
            kind = BaseHook.get_connection(conn_id).conn_type
        except Exception:  # noqa: S112 - somebody else's connection, in a form that is no concern of ours
            continue
        if kind in _shown_kinds():
            yield conn_id, kind


def _allowed(conn_ids: set[str], user: Any) -> set[str]:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails

    manager = get_auth_manager()
    return {
        conn_id
        for conn_id in conn_ids
        if manager.is_authorized_connection(
            method="GET", details=ConnectionDetails(conn_id=conn_id, team_name=_team_of(conn_id)), user=user
        )
    }


def _team_of(conn_id: str) -> str | None:
    """Return the team that a connection belongs to, where Airflow has teams."""
    from airflow.models import Connection

    team_of = getattr(Connection, "get_team_name", None)
    return team_of(conn_id) if team_of else None
