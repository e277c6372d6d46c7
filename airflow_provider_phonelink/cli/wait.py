"""``phonelink wait``."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import (
    ConfigurationError,
    RegistrationFailedError,
)
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, complain, hook_of
from airflow_provider_phonelink.decisions.registration import Assessment, hopeless_message, timeout_message
from airflow_provider_phonelink.decisions.waiting import Doubts, next_interval, outage_message
from airflow_provider_phonelink.exceptions import PhonelinkRetryableException

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.hooks.vendor import VendorHook

_log = logging.getLogger(__name__)

#: Seconds that a look may take at the least, so that a wait of no time at all is one look.
SHORTEST_LOOK = 2.0


def wait(options: argparse.Namespace) -> int:
    """Wait until all registrations are active; fail at once if one never can be."""
    number_ids = arguments.number_names("NUMBER_ID", options.number_ids, uuids=True)
    for name in ("timeout", "poll_interval", "failed_for"):
        seconds = arguments.seconds(f"--{name.replace('_', '-')}", getattr(options, name))
        setattr(options, name, seconds)
    # A poll is not tried again: the next one is the retry.
    hook = hook_of(options.conn_id, max_retries=0)
    look = _look(hook)
    with progress("Waiting"):
        last = asyncio.run(_wait(hook, look, number_ids, options))
    if last is None or not last.done:
        return complain(timeout_message(number_ids, last))
    rows = [{"id": number_id, "state": state} for number_id, state in last.states.items()]
    print_rows(rows, ("id", "state"), options.output)
    return IN_SYNC


async def _wait(
    hook: VendorHook[Any],
    look: Callable[[list[str]], Flow[Assessment]],
    number_ids: list[str],
    options: argparse.Namespace,
) -> Assessment | None:
    """Return the last look, in which all numbers are active if that was reached in time."""
    deadline = time.monotonic() + options.timeout
    doubts = Doubts(number_ids, datetime.now(timezone.utc), timedelta(seconds=options.failed_for))
    last, failed_polls = None, 0
    async with hook:
        while True:
            left = deadline - time.monotonic()
            try:
                # A look ends at the deadline, whatever it is waiting for: an answer, or the end of a Retry-After.
                found = await asyncio.wait_for(hook.arun(look(number_ids)), max(left, SHORTEST_LOOK))
            except asyncio.TimeoutError:
                _log.warning("The last look was not over in time.")
            except PhonelinkRetryableException as error:
                failed_polls += 1
                if failed_polls >= hook.max_failed_polls:
                    message = outage_message(failed_polls, error)
                    raise PhonelinkRetryableException(message) from error.__cause__
                _log.warning("Poll failed (%d in a row), the wait goes on: %s", failed_polls, error)
            else:
                last, failed_polls = doubts.weigh(found, datetime.now(timezone.utc)), 0
                number_ids = [judgement.number_id for judgement in found.judgements]
                for sentence in doubts.first_time_unknown(last):
                    _log.warning("%s", sentence)
                if last.hopeless:
                    raise RegistrationFailedError(hopeless_message(last))
            left = deadline - time.monotonic()
            if (last and last.done) or left <= 0:
                return last
            await asyncio.sleep(min(next_interval(options.poll_interval, 1), left))


def _look(hook: VendorHook[Any]) -> Callable[[list[str]], Flow[Assessment]]:
    """Return the flow that looks once at registrations, by the rules of the connection."""
    if hook.vendor.registrations is None:
        kinds = " or ".join(vendor.key for vendor in vendors.VENDORS if vendor.registrations)
        raise ConfigurationError(
            f"{hook.vendor.name} has no registrations; name a connection of type {kinds} with --conn-id."
        )
    look: Callable[[list[str]], Flow[Assessment]] = vendors.load(hook.vendor.registrations)
    return look
