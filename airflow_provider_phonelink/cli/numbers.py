"""``phonelink numbers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import reads as callingbox_reads
from airflow_provider_phonelink.api.dasha import reads as dasha_reads
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, hook_of
from airflow_provider_phonelink.hooks.dasha import DashaHook

if TYPE_CHECKING:
    import argparse

    from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook

_DASHA_COLUMNS = ("id", "phone_number", "display_name", "registration", "state", "incoming_calls_agent_id")
_CALLINGBOX_COLUMNS = ("id", "e164", "friendly_name", "status", "inbound_agent_id", "outbound_agent_ids")


def list_numbers(options: argparse.Namespace) -> int:
    """List numbers."""
    hook = hook_of(options.conn_id)
    with progress("Reading numbers"):
        if isinstance(hook, DashaHook):
            rows, columns = _dasha_rows(hook, options), _DASHA_COLUMNS
        else:
            rows, columns = _callingbox_rows(hook, options), _CALLINGBOX_COLUMNS
    print_rows(rows, columns, options.output)
    return IN_SYNC


def _dasha_rows(hook: DashaHook, options: argparse.Namespace) -> list[dict[str, Any]]:
    with hook:
        numbers = hook.run(
            dasha_reads.all_numbers(
                phone_number=options.phone_number,
                linked_agent_id=options.agent_id,
                unlinked_only=options.unlinked_only,
                provider_id=options.provider_id,
            )
        )
    return [
        {**number.model_dump(mode="json"), "state": number.registration_status.state} for number in numbers
    ]


def _callingbox_rows(hook: CallingBoxHook, options: argparse.Namespace) -> list[dict[str, Any]]:
    with hook:
        numbers = hook.run(callingbox_reads.all_numbers())
    return [
        number.model_dump(mode="json")
        for number in numbers
        if options.phone_number in (None, number.e164)
        and options.agent_id in (None, number.inbound_agent_id)
        and not (options.unlinked_only and number.inbound_agent_id)
    ]
