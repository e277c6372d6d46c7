"""``phonelink wait``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import (
    ConfigurationError,
    InvalidArgumentError,
    RegistrationFailedError,
)
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, complain, hook_of
from airflow_provider_phonelink.decisions.registration import Assessment, hopeless_message, timeout_message
from airflow_provider_phonelink.decisions.waiting import next_interval
from airflow_provider_phonelink.exceptions import PhonelinkRetryableException

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.hooks.vendor import VendorHook


def wait(options: argparse.Namespace) -> int:
    """Wait until all registrations are active; fail at once when one never can be."""
    number_ids = arguments.uuids("NUMBER_ID", options.number_ids)
    for name in ("timeout", "poll_interval"):
        if not 0 <= getattr(options, name) < float("inf"):
            raise InvalidArgumentError(f"--{name.replace('_', '-')}", "is not a number of seconds.")
    with hook_of(options.conn_id) as hook, progress("Waiting"):
        last = _wait(hook, number_ids, options.timeout, options.poll_interval)
    if last is None or not last.done:
        return complain(timeout_message(number_ids, last))
    rows = [{"id": number_id, "state": state} for number_id, state in last.states.items()]
    print_rows(rows, ("id", "state"), options.output)
    return IN_SYNC


def _wait(
    hook: VendorHook[Any], number_ids: list[str], timeout: float, poll_interval: float
) -> Assessment | None:
    """Return the last look, which shows all active if they became so in time."""
    look = _look(hook)
    deadline = time.monotonic() + timeout
    last, failed_polls = None, 0
    while True:
        try:
            last, failed_polls = hook.run(look(number_ids)), 0
        except PhonelinkRetryableException:
            failed_polls += 1
            if failed_polls >= hook.settings.max_failed_polls:
                raise
        if last and last.hopeless:
            raise RegistrationFailedError(hopeless_message(last))
        left = deadline - time.monotonic()
        if (last and last.done) or left <= 0:
            return last
        time.sleep(min(next_interval(poll_interval, 1), left))


def _look(hook: VendorHook[Any]) -> Callable[[list[str]], Flow[Assessment]]:
    """Return what looks once at registrations, by the rules of the connection."""
    if hook.vendor.registrations is None:
        kinds = " or ".join(vendor.key for vendor in vendors.VENDORS if vendor.registrations)
        raise ConfigurationError(
            f"{hook.vendor.name} has no registrations; name a connection of type {kinds} with --conn-id."
        )
    look: Callable[[list[str]], Flow[Assessment]] = vendors.load(hook.vendor.registrations)
    return look
