"""``phonelink doctor``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.counting import NoCounts
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.cli.output import print_document, print_rows, progress, say
from airflow_provider_phonelink.cli.running import DRIFT, IN_SYNC, hook_of
from airflow_provider_phonelink.doctor import traffic
from airflow_provider_phonelink.doctor.examination import Circumstances
from airflow_provider_phonelink.doctor.findings import COLUMNS, Level

if TYPE_CHECKING:
    import argparse

    from airflow_provider_phonelink.api.observing import Observed
    from airflow_provider_phonelink.doctor.examination import Examination
    from airflow_provider_phonelink.doctor.findings import Finding
    from airflow_provider_phonelink.hooks.vendor import VendorHook


class Sent(NoCounts):
    """Every request that was sent, also the ones that no answer came to."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int | None]] = []

    def answered(self, method: str, status: int | None) -> None:
        """Note a request that ended."""
        self.requests.append((method, status))


def doctor(options: argparse.Namespace) -> int:
    """Show what the account, and its vendor, are like."""
    with hook_of(options.conn_id, max_retries=1) as hook:
        found, requests = examine(hook)
    to_do = sum(finding.level is Level.TO_DO for finding in found)
    rows = [finding.as_json() for finding in found]
    if options.output in ("table", "csv"):
        print_rows(rows, COLUMNS, options.output)
    else:
        about = {"conn_id": options.conn_id, "vendor": hook.vendor.key, "requests": requests, "to_do": to_do}
        print_document({**about, "findings": rows}, options.output)
    if options.output == "table":
        say(f"{hook.vendor.name}: {to_do} of {len(found)} findings ask for something to be done.")
    return DRIFT if to_do else IN_SYNC


def examine(hook: VendorHook[Any]) -> tuple[list[Finding], int]:
    """Return the findings on a connection, and how many requests they took."""
    answers: list[Observed] = []
    sent = Sent()
    where = hook.vendor.examination
    examination: Examination[Any] | None = vendors.load(where) if where else None
    with Sender(hook.settings, observe=answers.append, counts=sent) as sender, progress("Examining"):
        if examination is None:
            sender.send(hook._probe())
        else:
            readings = sender.run(examination.read())
    now = datetime.now(timezone.utc)
    found = traffic.findings(answers, hook.settings, now, len(sent.requests))
    if examination is not None:
        found += examination.findings(readings, Circumstances(hook.settings, now, tuple(answers)))
    return found, len(sent.requests)
