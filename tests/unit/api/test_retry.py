from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import KEY, dasha_settings
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.calls import AlreadyDone, Call, Parallel, Setting
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.retry import FIRST_WAIT, LONGEST_WAIT

ID = number_id(1)
NUMBERS = "/sip-phone-numbers"
OPEN_OUTCOMES = {
    "refused connection": faults.lost_before,
    "lost answer": faults.lost_after,
    "HTML": faults.html_after,
    "truncated": faults.truncated_after,
    **{str(code): faults.status(code) for code in (408, 429, 500, 502, 503, 504)},
}
FINAL = (301, 400, 401, 403, 404, 405, 409, 410, 422)


@pytest.mark.parametrize("name", sorted(OPEN_OUTCOMES))
@pytest.mark.parametrize(
    "call",
    [
        endpoints.get_number(ID),
        endpoints.link(ID, "a", "replaceOutbound"),
        endpoints.update_number(ID, "+1", CREDENTIALS),
    ],
)
def test_a_repeatable_call_is_repeated_after_an_open_outcome(carry_out, call, name) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on(call.method, "", OPEN_OUTCOMES[name], OPEN_OUTCOMES[name])
    assert carry_out(call, vendor=vendor).id == ID
    assert vendor.count(call.method) == 3


@pytest.mark.parametrize("code", FINAL)
def test_what_a_retry_cannot_mend_is_not_repeated(carry_out, clock, code) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", ID, faults.status(code))
    with pytest.raises(errors.VendorError) as caught:
        carry_out(endpoints.get_number(ID), vendor=vendor)
    assert caught.value.status == code
    assert not caught.value.retry_helps
    assert (vendor.count("GET"), clock.slept) == (1, [])


@pytest.mark.parametrize("name", sorted(OPEN_OUTCOMES))
@pytest.mark.parametrize(
    "call",
    [endpoints.create_number("+1", CREDENTIALS), endpoints.link(ID, "a"), endpoints.unlink(ID, "inbound")],
)
def test_without_a_look_a_call_that_is_not_repeatable_is_sent_once(carry_out, clock, call, name) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on(call.method, "", OPEN_OUTCOMES[name])
    with pytest.raises(errors.VendorError) as caught:
        carry_out(call, vendor=vendor)
    assert caught.value.retry_helps
    assert (len(vendor.requests), clock.slept) == (1, [])


@pytest.mark.parametrize("max_retries", [0, 1, 4])
def test_tries_are_bounded(carry_out, max_retries) -> None:
    vendor = FakeDasha()
    vendor.on("GET", "", *[faults.status(503)] * 50)
    with pytest.raises(errors.ServerError):
        carry_out(endpoints.get_number(ID), vendor=vendor, settings=dasha_settings(max_retries=max_retries))
    assert len(vendor.requests) == max_retries + 1


def test_waits_grow_and_jitter(carry_out, clock) -> None:
    all_waits = []
    for _ in range(5):
        vendor = FakeDasha()
        vendor.on("GET", "", *[faults.lost_before] * 50)
        clock.slept.clear()
        with pytest.raises(errors.NoAnswerError):
            carry_out(
                endpoints.get_number(ID),
                vendor=vendor,
                settings=dasha_settings(max_retries=9, total_timeout=3600),
            )
        assert len(clock.slept) == 9
        for number, seconds in enumerate(clock.slept):
            least = min(FIRST_WAIT * 2**number, LONGEST_WAIT)
            assert least <= seconds <= least + FIRST_WAIT
        all_waits.append(tuple(clock.slept))
    assert len(set(all_waits)) == 5


def test_the_whole_is_bounded(carry_out, clock) -> None:
    vendor = FakeDasha()
    vendor.on("GET", "", *[faults.status(503)] * 200)
    start = clock.now
    with pytest.raises(errors.ServerError):
        carry_out(
            endpoints.get_number(ID),
            vendor=vendor,
            settings=dasha_settings(max_retries=100, total_timeout=45),
        )
    assert clock.now - start <= 45
    assert len(vendor.requests) > 3


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_obeyed(carry_out, clock, code) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", faults.status(code, headers={"Retry-After": "17"}))
    start = clock.now
    carry_out(endpoints.get_number(ID), vendor=vendor)
    assert 17 <= clock.now - start < 19


def test_retry_after_is_capped(carry_out, clock) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", faults.status(503, headers={"Retry-After": "100000"}))
    start = clock.now
    carry_out(endpoints.get_number(ID), vendor=vendor)
    assert 60 <= clock.now - start < 62


def test_retry_after_beyond_the_total_gives_up_at_once(carry_out, clock) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", faults.status(503, headers={"Retry-After": "50"}))
    with pytest.raises(errors.ServerError):
        carry_out(endpoints.get_number(ID), vendor=vendor, settings=dasha_settings(total_timeout=40))
    assert clock.slept == []


def test_a_repeated_try_is_logged_without_the_key(carry_out, caplog) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", faults.status(503, text=f"{KEY}\nforged"))
    with caplog.at_level(logging.DEBUG):
        carry_out(endpoints.get_number(ID), vendor=vendor)
    [line] = [r.getMessage() for r in caplog.records if r.name == "airflow_provider_phonelink.api.retry"]
    assert line.startswith("Try 1 failed, next one in ")
    assert "503" in line
    assert "\n" not in line
    assert KEY not in caplog.text


class Looked:
    """A write with a look before each repeat."""

    def __init__(self, *findings: Any) -> None:
        self.findings = list(findings)
        self.looks = 0

    @property
    def call(self) -> Call[Any]:
        return Call(method="POST", path="/x", read=lambda body: body.decode() or 1 / 0, look=self.look)

    def look(self) -> Any:
        self.looks += 1
        yield Call(method="GET", path="/look", read=bytes, repeatable=True)
        finding = self.findings.pop(0)
        if isinstance(finding, Exception):
            raise finding
        return finding


class Scripted(faults.FakeVendor):
    def handle(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="done")


def test_a_look_is_not_needed_when_the_first_try_works(carry_out) -> None:
    looked = Looked()
    assert carry_out(looked.call, vendor=Scripted()) == "done"
    assert looked.looks == 0


def test_a_look_that_settles_the_matter_ends_it(carry_out) -> None:
    looked, vendor = Looked(AlreadyDone("found")), Scripted()
    vendor.on("POST", "", faults.lost_after)
    assert carry_out(looked.call, vendor=vendor) == "found"
    assert vendor.requests == ["POST /x", "GET /look"]


def test_a_look_may_settle_the_matter_with_nothing(carry_out) -> None:
    looked, vendor = Looked(AlreadyDone(None)), Scripted()
    vendor.on("POST", "", faults.lost_after)
    assert carry_out(looked.call, vendor=vendor) is None
    assert vendor.count("POST") == 1


def test_there_is_a_look_before_every_repeat(carry_out) -> None:
    looked, vendor = Looked(None, None), Scripted()
    vendor.on("POST", "", faults.lost_before, faults.status(503))
    assert carry_out(looked.call, vendor=vendor) == "done"
    assert vendor.requests == ["POST /x", "GET /look", "POST /x", "GET /look", "POST /x"]


def test_a_look_that_forbids_the_repeat_ends_it(carry_out) -> None:
    looked, vendor = Looked(errors.ChangedMeanwhileError("somebody else has it")), Scripted()
    vendor.on("POST", "", faults.lost_before)
    with pytest.raises(errors.ChangedMeanwhileError):
        carry_out(looked.call, vendor=vendor)
    assert vendor.requests == ["POST /x", "GET /look"]


def test_a_look_that_may_not_look_ends_it(carry_out) -> None:
    looked, vendor = Looked(), Scripted()
    vendor.on("POST", "", faults.lost_before)
    vendor.on("GET", "", faults.status(401))
    with pytest.raises(errors.AuthenticationError):
        carry_out(looked.call, vendor=vendor)
    assert vendor.count("POST") == 1


def test_nothing_is_posted_again_while_the_look_does_not_work(carry_out) -> None:
    looked, vendor = Looked(), Scripted()
    vendor.on("POST", "", faults.lost_before)
    vendor.on("GET", "", *[faults.lost_before] * 100)
    with pytest.raises(errors.NoAnswerError):
        carry_out(looked.call, vendor=vendor)
    assert vendor.count("POST") == 1


def test_a_look_is_repeated_by_itself(carry_out) -> None:
    looked, vendor = Looked(AlreadyDone("found")), Scripted()
    vendor.on("POST", "", faults.lost_before)
    vendor.on("GET", "", faults.lost_before, faults.status(500))
    assert carry_out(looked.call, vendor=vendor) == "found"
    assert (vendor.count("POST"), vendor.count("GET")) == (1, 3)


def test_a_flow_can_handle_an_error_and_go_on(carry_out) -> None:
    def flow() -> Any:
        try:
            yield endpoints.get_number(number_id(9))
        except errors.NotFoundError:
            number = yield endpoints.get_number(ID)
            return number.id

    assert carry_out(flow(), vendor=FakeDasha(number_json(1))) == ID


def test_an_error_in_a_flow_is_not_repeated(carry_out) -> None:
    def flow() -> Any:
        yield endpoints.get_number(ID)
        raise errors.NotTakenEffectError("nothing happened")

    vendor = FakeDasha(number_json(1))
    with pytest.raises(errors.NotTakenEffectError):
        carry_out(flow(), vendor=vendor)
    assert len(vendor.requests) == 1


def test_a_vendor_that_refuses_everything_gets_slower_requests(carry_out, clock) -> None:
    starts = []

    def vendor(_: httpx.Request) -> httpx.Response:
        starts.append(clock.now)
        return httpx.Response(429)

    def flow() -> Any:
        for _ in range(3):
            try:
                yield endpoints.get_number(ID)
            except errors.RateLimitedError:
                continue

    carry_out(flow(), vendor=vendor, settings=dasha_settings(total_timeout=3600))
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(starts) == 15
    assert gaps[0] >= FIRST_WAIT
    assert min(gaps[7:]) >= LONGEST_WAIT


class TestSettings:
    """A flow asks its client for a setting, wherever in the flow it is."""

    settings = dasha_settings(timeout=7.5)

    @staticmethod
    def ask() -> Any:
        return (yield Setting("timeout"))

    def test_a_flow_is_answered_without_a_request(self, carry_out) -> None:
        vendor = FakeDasha()
        assert carry_out(self.ask(), vendor=vendor, settings=self.settings) == 7.5
        assert vendor.requests == []

    def test_so_are_flows_side_by_side(self, carry_out) -> None:
        def flow() -> Any:
            return (yield Parallel([self.ask(), self.ask()]))

        assert carry_out(flow(), vendor=FakeDasha(), settings=self.settings) == [7.5, 7.5]

    def test_so_is_the_look_before_a_repeat(self, carry_out) -> None:
        def look() -> Any:
            return AlreadyDone((yield Setting("timeout")))

        vendor = FakeDasha(number_json(1))
        vendor.on("POST", "", faults.lost_after)
        call = replace(endpoints.create_number("+1", CREDENTIALS), look=look)
        assert carry_out(call, vendor=vendor, settings=self.settings) == 7.5
        assert vendor.count("POST") == 1

    def test_a_setting_that_the_vendor_does_not_have_is_a_mistake_in_the_flow(self, carry_out) -> None:
        def flow() -> Any:
            return (yield Setting("attach_body_key"))

        with pytest.raises(AttributeError, match="attach_body_key"):
            carry_out(flow(), vendor=FakeDasha(), settings=self.settings)
