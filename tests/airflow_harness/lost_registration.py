"""The example of lost registrations with another clock, and when its watcher has looked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_harness.waiting import EVENTUALLY
from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS

if TYPE_CHECKING:
    from airflow_harness.rest import AirflowApi
    from airflow_provider_phonelink.sandbox import Sandbox

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "registration_lost.py"
#: What only an event can wake: its clock ticks once a year.
NO_CLOCK = "0 0 1 1 *"


def with_clock(cron: str, poll_interval: int = 10) -> str:
    """Return the text of the example with another clock, whose watcher polls each so many seconds."""
    text = EXAMPLE.read_text()
    for written, wanted in (("*/5 * * * *", cron), ("poll_interval=10", f"poll_interval={poll_interval}")):
        assert written in text
        text = text.replace(written, wanted)
    return text


def wait_for_poll(api: AirflowApi, sandbox: Sandbox) -> None:
    """
    Wait until the vendor has answered another poll, so that what is changed now is a change to the watcher.

    A request that is merely under way may yet be answered with the change.
    """
    since = sandbox.journal.total
    api.wait_until(
        lambda: any(poll.status for poll in sandbox.journal.requests("GET", f"^{NUMBERS}$", since=since)),
        EVENTUALLY,
        lambda: "the triggerer does not poll",
    )
