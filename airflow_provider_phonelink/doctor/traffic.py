"""What the answers show whatever they are about: connection, delay, clocks, TLS, limits."""

from __future__ import annotations

import ssl
import statistics
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.registration import SKEW
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure, counted, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.observing import Observed
    from airflow_provider_phonelink.api.settings import Settings

#: ``Date`` has whole seconds, and an answer takes a while: less than this is no difference.
NEGLIGIBLE = timedelta(seconds=3)
TOO_MANY = 429
CERTIFICATE_NEARLY_OVER = timedelta(days=14)


def findings(traffic: Sequence[Observed], settings: Settings, now: datetime, sent: int) -> list[Finding]:
    """
    Return what any answers show, for whichever vendor.

    :param sent: How many requests were sent; not all of them may have been answered.
    """
    return [
        connection(sent, settings),
        latency([observed.seconds for observed in traffic]),
        clock(*last_date(traffic, now)),
        tls(traffic[-1], settings, now),
        rate_limit(traffic),
    ]


def connection(sent: int, settings: Settings) -> Finding:
    """Return that the connection works: without an answer there are no findings."""
    way = " through the proxy of the connection" if settings.proxy else ""
    requests = counted(sent, "request")
    return Finding(
        about="connection",
        seen=f"{clean(settings.base_url)} answers{way} and accepts the key; {requests} were sent, all of them reads",
    )


def latency(seconds: Sequence[float]) -> Finding:
    """Return how long answers took; the first one has the connection's set-up in it."""
    usual, longest = statistics.median(seconds) * 1000, max(seconds) * 1000
    return Finding(about="latency", seen=f"median {usual:,.0f} ms, longest {longest:,.0f} ms")


def last_date(traffic: Sequence[Observed], now: datetime) -> tuple[str | None, datetime]:
    """
    Return the last ``Date`` header, and the time here as it arrived.

    :param now: The time here as the last answer arrived.
    """
    for observed in reversed(traffic):
        if date := observed.headers.get("date"):
            return date, now
        now -= timedelta(seconds=observed.seconds)
    return None, now


def clock(date: str | None, now: datetime) -> Finding:
    """
    Return how far the vendor's clock is from ours.

    :param date: The ``Date`` header of an answer.
    :param now: The time here as it arrived.
    """
    about = "clock"
    if date is None:
        return unknown(about, "the answers have no Date header, so the clocks cannot be compared")
    try:
        theirs = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return unknown(about, f"the Date header cannot be read: {clean(date)}")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=timezone.utc)
    difference = theirs - now
    if abs(difference) <= NEGLIGIBLE:
        return Finding(about=about, seen="the vendor's clock and this machine's agree")
    seconds = f"{abs(difference).total_seconds():,.0f} s"
    seen = f"the vendor's clock is {seconds} {'ahead of' if difference > timedelta(0) else 'behind'} this machine's"
    if abs(difference) <= SKEW:
        return Finding(about=about, seen=seen, level=Level.NOTE)
    advice = (
        "Set this machine's clock (NTP). Until then registrations may count as expired while they are not, or the "
        "other way round; where there are registrations, the extra `check_expiry` turns that off."
    )
    return Finding(about=about, seen=seen, level=Level.TO_DO, advice=advice)


def tls(last: Observed, settings: Settings, now: datetime) -> Finding:
    """Return how the way to the vendor is protected."""
    about = "TLS"
    if last.tls is None:
        host = urlsplit(settings.base_url).hostname
        if urlsplit(settings.base_url).scheme == "https":
            return unknown(about, "the connection does not show its TLS version")
        return Finding(
            about=about,
            seen=f"none: plain HTTP to {clean(host)}",
            level=Level.TO_DO if settings.allow_http else Level.NOTE,
            advice="Use https:// unless this is a stand-in: the key can be read on the way."
            if settings.allow_http
            else "",
        )
    if not settings.verify_ssl:
        return Finding(
            about=about,
            seen=f"{last.tls}, and the certificate is not verified",
            level=Level.TO_DO,
            advice="Give the certificate in the extra `ca_bundle`, and remove `verify_ssl`.",
        )
    ends = _certificate_end(last.certificate_ends)
    if ends is None:
        return Finding(about=about, seen=f"{last.tls}, certificate verified")
    seen = f"{last.tls}, certificate verified, valid until {ends:%Y-%m-%d}"
    if ends - now < CERTIFICATE_NEARLY_OVER:
        advice = "It ends soon: ask the vendor, or renew it if it is your proxy's."
        return Finding(about=about, seen=seen, level=Level.NOTE, advice=advice)
    return Finding(about=about, seen=seen)


def rate_limit(traffic: Sequence[Observed]) -> Finding:
    """Return what the answers show of a rate limit: those that met it above all, then the last ones."""
    met = [observed for observed in traffic if observed.status == TOO_MANY]
    told: dict[str, str] = {}
    for observed in sorted(traffic, key=lambda observed: observed.status == TOO_MANY):
        told.update(_limits(observed))
    headers = ", ".join(f"{name}: {value}" for name, value in told.items())
    if met:
        return Finding(
            about="rate limit",
            seen=f"met: {len(met):,} of {counted(len(traffic), 'answer')} had status {TOO_MANY}; "
            + (headers or "no headers say where it is"),
            level=Level.TO_DO,
            advice="Set the extra `requests_per_second` lower, or look who else uses this key just now.",
        )
    if not told:
        return unknown(
            "rate limit",
            "the answers have no headers on one; where there is one, it shows as 429",
            "After a 429, set the extra `requests_per_second`.",
        )
    return Finding(
        about="rate limit",
        seen=headers,
        level=Level.NOTE,
        sure=Sure.LIKELY,
        advice="Set the extra `requests_per_second` below the limit if others use this key, too.",
    )


def _limits(observed: Observed) -> dict[str, str]:
    """Return the headers on a rate limit, by their names in lower case."""
    told = {name.lower(): clean(value) for name, value in observed.headers.items()}
    # A server that is down says when to come again, too.
    after = () if observed.status >= 500 else ("retry-after",)
    return {
        name: value for name, value in told.items() if "ratelimit" in name.replace("-", "") or name in after
    }


def _certificate_end(text: str | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), timezone.utc) if text else None
    except ValueError:
        return None
