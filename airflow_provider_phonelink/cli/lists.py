"""``phonelink numbers list``, ``agents list`` and ``credentials list``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.errors import ConfigurationError, InvalidArgumentError
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, hook_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Flow

FILTERS = ("phone_number", "agent_id", "unlinked_only", "provider_id")


@dataclass(frozen=True, kw_only=True)
class Table:
    """How the numbers, agents or credentials of a vendor are listed."""

    columns: tuple[str, ...]
    #: A flow that takes filters and returns what matches all of them, each as a mapping with the columns.
    rows: Callable[..., Flow[list[dict[str, Any]]]]
    #: The :data:`FILTERS` that apply.
    filters: tuple[str, ...] = ()


def list_numbers(options: argparse.Namespace) -> int:
    """List numbers."""
    with hook_of(options.conn_id) as hook:
        table: Table = vendors.load(hook.vendor.number_table)
        wanted = {name: value for name in FILTERS if (value := getattr(options, name)) not in (None, False)}
        for name in wanted.keys() - set(table.filters):
            raise InvalidArgumentError(
                f"--{name.replace('_', '-')}", f"numbers of {hook.vendor.name} cannot be filtered by that."
            )
        with progress("Reading numbers"):
            rows = hook.run(table.rows(**wanted))
    print_rows(rows, table.columns, options.output)
    return IN_SYNC


def list_agents(options: argparse.Namespace) -> int:
    """List agents."""
    return _list(options, "agent_table", "agents")


def list_credentials(options: argparse.Namespace) -> int:
    """List SIP credentials, without their passwords."""
    return _list(options, "credentials_table", "SIP credentials")


def _list(options: argparse.Namespace, table: str, what: str) -> int:
    with hook_of(options.conn_id) as hook:
        where = getattr(hook.vendor, table)
        if where is None:
            raise ConfigurationError(
                f"{hook.vendor.name} has no {what} to list. Name another connection with --conn-id."
            )
        shown: Table = vendors.load(where)
        with progress(f"Reading {what}"):
            rows = hook.run(shown.rows())
    print_rows(rows, shown.columns, options.output)
    return IN_SYNC
