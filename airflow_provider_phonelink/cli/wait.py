"""``phonelink wait``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError, RegistrationFailedError
from airflow_provider_phonelink.cli.output import print_rows, progress
from airflow_provider_phonelink.cli.running import IN_SYNC, complain, dasha_hook_of
from airflow_provider_phonelink.decisions.registration import (
    Assessment,
    hopeless_message,
    rules_of,
    timeout_message,
)
from airflow_provider_phonelink.decisions.waiting import next_interval
from airflow_provider_phonelink.exceptions import PhonelinkRetryableException
from airflow_provider_phonelink.promises.dasha.wait import look_at_registrations

if TYPE_CHECKING:
    import argparse

    from airflow_provider_phonelink.hooks.dasha import DashaHook


def wait(options: argparse.Namespace) -> int:
    """Wait until all registrations are active; fail at once when one never can be."""
    number_ids = arguments.uuids("NUMBER_ID", options.number_ids)
    for name in ("timeout", "poll_interval"):
        if not 0 <= getattr(options, name) < float("inf"):
            raise InvalidArgumentError(f"--{name.replace('_', '-')}", "is not a number of seconds.")
    with dasha_hook_of(options.conn_id, "registrations") as hook, progress("Waiting"):
        last = _wait(hook, number_ids, options.timeout, options.poll_interval)
    if last is None or not last.done:
        return complain(timeout_message(number_ids, last))
    rows = [{"id": number_id, "state": state} for number_id, state in last.states.items()]
    print_rows(rows, ("id", "state"), options.output)
    return IN_SYNC


def _wait(hook: DashaHook, number_ids: list[str], timeout: float, poll_interval: float) -> Assessment | None:
    """Return the last look, which shows all active if they became so in time."""
    rules = rules_of(hook.settings, None, None)
    deadline = time.monotonic() + timeout
    last, failed_polls = None, 0
    while True:
        try:
            last, failed_polls = hook.run(look_at_registrations(number_ids, rules)), 0
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
