from __future__ import annotations

import logging
from typing import Any

import pytest
from unit.api import faults
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha import writes
from airflow_provider_phonelink.promises.callingbox.attach import attach_number
from airflow_provider_phonelink.promises.dasha.create import create_number
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number

ID = number_id(1)
FORGED = "x\n[2024-01-01] INFO forged \x1b[31m\u2028\u202e"


def hostile(**fields: Any) -> FakeDasha:
    return FakeDasha(number_json(1, phoneNumber=FORGED, displayName=FORGED, **fields))


def swapped_before_the_repeat(vendor: FakeDasha, agent: str) -> FakeDasha:
    vendor.on("PUT", "", faults.lost_before)
    change = faults.meanwhile(lambda: vendor.numbers[ID].update(incomingCallsAgentId=agent))
    vendor.on("GET", ID, faults.served, change)
    return vendor


def not_taken(vendor: FakeDasha) -> FakeDasha:
    vendor.on("PUT", "", faults.status(200))
    return vendor


def two_of_a_pair() -> FakeDasha:
    first, second = (number_json(index, phoneNumber="+1") for index in (1, 2))
    return FakeDasha({**first, "id": FORGED}, second)


@pytest.mark.parametrize(
    ("flow", "vendor"),
    [
        (lambda: link_number(ID, "a", if_linked="fail"), lambda: hostile(incomingCallsAgentId=FORGED)),
        (lambda: link_number(ID, "a"), lambda: not_taken(hostile(incomingCallsAgentId=FORGED))),
        (lambda: link_number(ID, "a"), lambda: swapped_before_the_repeat(hostile(), FORGED)),
        (lambda: writes.unlink(ID), lambda: unlink_lost(hostile(incomingCallsAgentId=FORGED))),
        (lambda: create_number("+1", CREDENTIALS), two_of_a_pair),
        (
            lambda: create_number("+1", CREDENTIALS, if_exists="fail"),
            lambda: FakeDasha(number_json(1, phoneNumber="+1")),
        ),
    ],
)
def test_vendor_text_cannot_forge_a_line_in_an_error(carry_out, flow, vendor) -> None:
    with pytest.raises(errors.PhonelinkError) as caught:
        carry_out(flow(), vendor=vendor())
    assert str(caught.value).isprintable()


def unlink_lost(vendor: FakeDasha) -> FakeDasha:
    vendor.on("DELETE", "", faults.lost_before)
    return vendor


def test_vendor_text_cannot_forge_a_line_in_an_error_of_callingbox(carry_out) -> None:
    vendor = FakeCallingBox(agents={"in": "inbound", FORGED: "inbound"}, numbers={"n1": [FORGED]})
    with pytest.raises(errors.TakenError) as caught:
        carry_out(attach_number("in", "n1"), vendor=vendor, settings=callingbox_settings())
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("flow", "vendor"),
    [
        (lambda: link_number(ID, "a"), lambda: hostile(incomingCallsAgentId=FORGED)),
        (lambda: link_number(ID, "a", "replaceOutbound"), hostile),
        (lambda: link_number(ID, "a"), lambda: hostile(incomingCallsAgentId="a")),
        (lambda: unlink_number(ID, "inbound", "a"), lambda: hostile(incomingCallsAgentId=FORGED)),
        (lambda: unlink_number(ID), lambda: hostile(incomingCallsAgentId="a")),
        (
            lambda: create_number("+1", CREDENTIALS, display_name="A"),
            lambda: FakeDasha(number_json(1, phoneNumber="+1", displayName=FORGED)),
        ),
    ],
)
def test_vendor_text_cannot_forge_a_line_in_the_log(carry_out, caplog, flow, vendor) -> None:
    outcome = carry_out(flow(), vendor=vendor())
    with caplog.at_level(logging.INFO):
        outcome.log_to(logging.getLogger("task"))
    lines = [record.getMessage() for record in caplog.records if record.name == "task"]
    assert lines == [outcome.summary, *outcome.warnings]
    assert all(line.isprintable() for line in lines)
