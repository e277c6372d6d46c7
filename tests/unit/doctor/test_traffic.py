from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.api.carrying import KEY, dasha_settings

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.errors import RejectedError
from airflow_provider_phonelink.api.observing import Observed
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.doctor import traffic
from airflow_provider_phonelink.doctor.findings import Level, Sure

NOW = datetime(2031, 6, 1, 12, 0, tzinfo=timezone.utc)
PAGE = {"items": [], "totalCount": 0, "skip": 0, "take": 20}


class TLSStream:
    """What httpx shows of a connection over TLS."""

    def get_extra_info(self, name: str) -> Any:
        return self if name == "ssl_object" else None

    def version(self) -> str:
        return "TLSv1.3"

    def getpeercert(self) -> dict[str, str]:
        return {"notAfter": "Jun  9 12:00:00 2031 GMT"}


def observed(*answers: httpx.Response) -> list[Observed]:
    waiting = list(answers)
    seen: list[Observed] = []
    transport = httpx.MockTransport(lambda _: waiting.pop(0))
    with Sender(dasha_settings(max_retries=0), observe=seen.append, transport=transport) as sender:
        for answer in answers:
            if answer.is_success:
                sender.send(endpoints.list_numbers())
            else:
                with pytest.raises(RejectedError):
                    sender.send(endpoints.list_numbers())
    return seen


def test_each_answer_is_observed_and_no_secret_with_it() -> None:
    good = httpx.Response(
        200, json=PAGE, headers={"date": "then"}, extensions={"network_stream": TLSStream()}
    )
    bad = httpx.Response(400, json={"detail": f"not with {KEY}"})
    first, second = observed(good, bad)
    assert (first.method, first.path, first.status, first.refusal) == ("GET", endpoints.NUMBERS, 200, b"")
    assert (first.headers["date"], first.tls) == ("then", "TLSv1.3")
    assert first.certificate_ends == "Jun  9 12:00:00 2031 GMT"
    assert (second.status, second.tls) == (400, None)
    assert b"not with" in second.refusal
    assert KEY.encode() not in second.refusal
    assert first.seconds >= 0


def seen(**fields: Any) -> Observed:
    return Observed(**{"method": "GET", "path": "/", "status": 200, "seconds": 0.1, "headers": {}, **fields})


@given(st.floats(-100_000, 100_000))
def test_clocks(seconds: float) -> None:
    finding = traffic.clock(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW)
    if abs(seconds) < 2:
        assert finding.level is Level.OK
    if abs(seconds) > 4:
        assert ("ahead" if seconds > 0 else "behind") in finding.seen
    assert (finding.level is Level.TO_DO) is ("check_expiry" in finding.advice)
    assert finding.level is Level.TO_DO or abs(seconds) < 62


def test_the_last_answer_with_a_date_tells_the_time() -> None:
    early, late = seen(headers={"date": "early"}), seen(headers={"date": "late"})
    without = seen(seconds=20.0)
    assert traffic.last_date([early, late], NOW) == ("late", NOW)
    assert traffic.last_date([early, late, without, without], NOW) == ("late", NOW - timedelta(seconds=40))
    assert traffic.last_date([without], NOW)[0] is None


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Jun 2031 12:00:00 GMT"])
def test_a_clock_that_is_not_told(date) -> None:
    finding = traffic.clock(date, NOW)
    assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)


@pytest.mark.parametrize(
    ("options", "answer", "level", "said"),
    [
        ({}, {"tls": "TLSv1.3"}, Level.OK, "TLSv1.3, certificate verified"),
        (
            {},
            {"tls": "TLSv1.2", "certificate_ends": "Jun  9 12:00:00 2031 GMT"},
            Level.NOTE,
            "until 2031-06-09",
        ),
        (
            {},
            {"tls": "TLSv1.3", "certificate_ends": "Jun  1 12:00:00 2032 GMT"},
            Level.OK,
            "until 2032-06-01",
        ),
        ({"verify_ssl": False}, {"tls": "TLSv1.3"}, Level.TO_DO, "not verified"),
        ({}, {}, Level.NOTE, "does not show"),
        ({"base_url": "http://127.0.0.1:1"}, {}, Level.NOTE, "plain HTTP to 127.0.0.1"),
        (
            {"base_url": "http://vendor.example", "allow_http": True},
            {},
            Level.TO_DO,
            "plain HTTP to vendor.example",
        ),
    ],
)
def test_tls(options, answer, level, said) -> None:
    finding = traffic.tls(seen(**answer), dasha_settings(**options), NOW)
    assert finding.level is level
    assert said in finding.seen
    assert bool(finding.advice) is (level is Level.TO_DO or "until 2031" in said)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, None),
        ({"content-type": "x"}, None),
        ({"X-RateLimit-Limit": "600"}, "x-ratelimit-limit: 600"),
        ({"ratelimit-policy": "10;w=1"}, "ratelimit-policy: 10;w=1"),
        ({"x-rate-limit-remaining": "1\x1b[2J"}, "x-rate-limit-remaining: 1"),
        ({"retry-after": "7"}, "retry-after: 7"),
    ],
)
def test_rate_limits(headers, told) -> None:
    finding = traffic.rate_limit([seen(headers=headers)])
    assert (finding.sure is Sure.UNKNOWN) is (told is None)
    assert "requests_per_second" in finding.advice
    assert told is None or told in finding.seen
    assert "\x1b" not in finding.seen


def test_a_rate_limit_that_was_met_is_told_though_the_repeat_was_let_through() -> None:
    refusal = seen(status=429, headers={"Retry-After": "1", "X-RateLimit-Limit": "60"})
    finding = traffic.rate_limit([seen(), refusal, seen(headers={"x-ratelimit-limit": "90"}), seen()])
    assert (finding.level, finding.sure) == (Level.TO_DO, Sure.SEEN)
    assert finding.seen == "met: 1 of 4 answers had status 429; x-ratelimit-limit: 60, retry-after: 1"


def test_a_rate_limit_that_says_nothing_of_itself_is_told() -> None:
    finding = traffic.rate_limit([seen(status=429), seen()])
    assert finding.seen == "met: 1 of 2 answers had status 429; no headers say where it is"


def test_any_answer_may_show_a_rate_limit() -> None:
    finding = traffic.rate_limit([seen(headers={"RateLimit-Policy": "10;w=1"}), seen()])
    assert finding.seen == "ratelimit-policy: 10;w=1"


def test_a_server_that_is_down_is_no_rate_limit() -> None:
    assert traffic.rate_limit([seen(status=503, headers={"Retry-After": "9"})]).sure is Sure.UNKNOWN
