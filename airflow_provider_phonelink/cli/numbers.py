"""``phonelink numbers``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, hook_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Flow

FILTERS = ("phone_number", "agent_id", "unlinked_only", "provider_id")


@dataclass(frozen=True, kw_only=True)
class NumberTable:
    """How the numbers of a vendor are listed."""

    columns: tuple[str, ...]
    #: The :data:`FILTERS` that apply to the vendor's numbers.
    filters: tuple[str, ...]
    #: A flow that takes filters and returns the numbers that match all of them, each as a mapping with the columns.
    rows: Callable[..., Flow[list[dict[str, Any]]]]


def list_numbers(options: argparse.Namespace) -> int:
    """List numbers."""
    with hook_of(options.conn_id) as hook:
        table: NumberTable = vendors.load(hook.vendor.number_table)
        wanted = {name: value for name in FILTERS if (value := getattr(options, name))}
        for name in wanted.keys() - set(table.filters):
            raise InvalidArgumentError(
                f"--{name.replace('_', '-')}", f"numbers of {hook.vendor.name} cannot be filtered by that."
            )
        with progress("Reading numbers"):
            rows = hook.run(table.rows(**wanted))
    print_rows(rows, table.columns, options.output)
    return IN_SYNC
