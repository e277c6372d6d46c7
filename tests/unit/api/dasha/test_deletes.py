from __future__ import annotations

from typing import Any

import pytest
from unit.api import faults
from unit.api.fake_dasha import PROVIDER, PROVIDERS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.deletes import delete_number
from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS

ID = number_id(1)
PLAIN = f"{NUMBERS}/{ID}"
TWILIO = f"{PROVIDERS}twilio/{PROVIDER}/phone-numbers/{ID}"
#: Outcomes of a delete that leave open whether it happened, and whether it did.
OPEN = {
    "lost before": (faults.lost_before, False),
    "lost after": (faults.lost_after, True),
    "HTML after": (faults.html_after, True),
    "429 before": (faults.status(429), False),
    "500 before": (faults.status(500), False),
    "503 after": (faults.status(503, after=True), True),
}


def vendor_of(provider: str | None = None, **fields: Any) -> FakeDasha:
    """Return a vendor with one number, managed by a provider of this kind if one is given."""
    vendor = FakeDasha()
    if provider is not None:
        vendor.organisation.trunks.add_provider(provider, id=PROVIDER)
        fields["providerId"] = PROVIDER
    vendor.add(number_json(1, **fields))
    return vendor


def left_on_the_trunk(vendor: FakeDasha) -> list[str]:
    return vendor.organisation.trunks.connected(PROVIDER)


@pytest.mark.parametrize("provider", [None, "twilio"])
@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_a_number_is_deleted_once(carry_out, outcome, provider) -> None:
    fault, happened = OPEN[outcome]
    vendor = vendor_of(provider)
    vendor.on("DELETE", "", fault)
    assert carry_out(delete_number(ID), vendor=vendor) is None
    assert (vendor.numbers, len(vendor.writes)) == ({}, 1)
    assert left_on_the_trunk(vendor) == []
    assert vendor.count("DELETE") == (1 if happened else 2)


@pytest.mark.parametrize("plain_delete", ["detaches", "leaves_trunk", "refused"])
def test_a_number_of_twilio_leaves_its_trunk_whatever_the_plain_delete_does(carry_out, plain_delete) -> None:
    vendor = vendor_of("twilio")
    vendor.switches.dasha_provider_delete = plain_delete
    carry_out(delete_number(ID), vendor=vendor)
    assert (vendor.numbers, left_on_the_trunk(vendor)) == ({}, [])
    assert [write.split()[1] for write in vendor.writes] == [TWILIO]


@pytest.mark.parametrize("kind", ["vonage", "Telnyx"])
def test_a_number_of_another_provider_is_deleted_plainly(carry_out, kind) -> None:
    vendor = vendor_of(kind)
    carry_out(delete_number(ID), vendor=vendor)
    assert (vendor.numbers, vendor.count("DELETE")) == ({}, 1)


@pytest.mark.parametrize("status", [403, 404, 405])
@pytest.mark.parametrize(("kind", "deletes"), [("twilio", 1), ("vonage", 2)])
def test_a_provider_that_may_not_be_read_may_be_twilio(carry_out, kind, deletes, status) -> None:
    vendor = vendor_of(kind)
    vendor.on("GET", PROVIDER, faults.status(status))
    carry_out(delete_number(ID), vendor=vendor)
    assert (vendor.numbers, vendor.count("DELETE")) == ({}, deletes)


def test_what_twilio_refuses_is_not_deleted_plainly(carry_out) -> None:
    vendor = vendor_of("twilio")
    vendor.on("DELETE", f"/phone-numbers/{ID}", faults.status(400))
    with pytest.raises(errors.RejectedError):
        carry_out(delete_number(ID), vendor=vendor)
    assert (list(vendor.numbers), vendor.writes) == ([ID], [])


@pytest.mark.parametrize("provider", [None, "twilio"])
def test_a_first_try_that_takes_effect_late_has_deleted_it(carry_out, provider) -> None:
    """The look still sees the number, and the repeat does not."""
    vendor = vendor_of(provider)
    gone = faults.meanwhile(vendor.numbers.clear)
    vendor.on("DELETE", "", faults.lost_before, gone)
    assert carry_out(delete_number(ID), vendor=vendor) is None
    assert (vendor.numbers, vendor.count("DELETE")) == ({}, 2)


def test_a_gateways_page_is_not_taken_for_a_deletion(carry_out) -> None:
    vendor = vendor_of()
    vendor.on("DELETE", "", faults.status(200, html="<html>log in</html>"))
    carry_out(delete_number(ID), vendor=vendor)
    assert (vendor.numbers, vendor.count("DELETE")) == ({}, 2)


@pytest.mark.parametrize("provider", [None, "twilio"])
def test_a_number_in_use_is_deleted_only_by_force(carry_out, provider) -> None:
    vendor = vendor_of(provider, incomingCallsAgentId="agent-a")
    with pytest.raises(errors.ConflictError):
        carry_out(delete_number(ID), vendor=vendor)
    assert list(vendor.numbers) == [ID]
    carry_out(delete_number(ID, force=True), vendor=vendor)
    assert vendor.numbers == {}


def test_a_new_number_that_reads_do_not_know_yet_is_deleted(carry_out) -> None:
    vendor = vendor_of()
    vendor.on("GET", PLAIN, *[faults.status(404)] * 9)
    vendor.on("DELETE", "", faults.status(503))
    carry_out(delete_number(ID), vendor=vendor)
    assert vendor.numbers == {}


def test_a_number_that_is_not_there_is_not_deleted(carry_out) -> None:
    with pytest.raises(errors.NotFoundError):
        carry_out(delete_number(ID), vendor=FakeDasha())
