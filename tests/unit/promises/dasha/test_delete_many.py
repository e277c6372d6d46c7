"""Deleting many numbers over the sandbox's world, without a socket."""

from __future__ import annotations

from typing import Any

import pytest
from unit.promises.dasha.test_onboard import TRUNK, Vendor

from airflow_provider_phonelink.promises.dasha.delete_many import Deleting, delete_many


def deleting(vendor: Vendor, *names: str, **options: Any) -> Deleting:
    found = Deleting(names, **options)
    vendor.carry_out(delete_many(found))
    return found


def outcomes(found: Deleting) -> list[tuple[str | None, bool]]:
    return [(number.step, number.reason is None) for number in found.numbers]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


def test_numbers_that_nobody_uses_are_gone_and_no_others(vendor) -> None:
    ids = [vendor.dasha.add_number(f"+1555{n:07}", TRUNK) for n in range(5)]
    assert outcomes(deleting(vendor, *ids[:3], "+1 (555) 000-0003")) == [("deleted", True)] * 4
    assert [*vendor.dasha.numbers] == ids[4:]
    assert vendor.writes == {"DELETE": 4}
    again = deleting(vendor, *ids[:3], "+15550000003")
    assert outcomes(again) == [("gone", True)] * 4
    assert not vendor.writes
    assert again.warnings == ["There is no number +15550000003: it is gone, or was written otherwise."]


def test_one_that_is_in_use_is_left_and_all_its_agents_are_named(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk", outbound=["campaign", "night"])
    free = vendor.dasha.add_number("+1556", TRUNK)
    found = deleting(vendor, used, free)
    assert outcomes(found) == [(None, False), ("deleted", True)]
    reason = str(found.numbers[0].reason)
    for words in ("desk answers its calls", "campaign calls out with it", "night calls out with it"):
        assert words in reason
    assert vendor.dasha.links() == {used: ("desk", ["campaign", "night"])}


def test_one_that_is_in_use_is_unlinked_and_deleted_if_asked(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk", outbound=["campaign"])
    found = deleting(vendor, used, if_linked="unlink")
    assert outcomes(found) == [("deleted", True)]
    assert not vendor.dasha.numbers
    assert "force" not in " ".join(vendor.requests)
    told = {(entry.mode, *entry.losers, entry.agent_id) for _, entry in found.journal}
    assert told == {("inbound", "desk", None), ("replaceOutbound", "campaign")}


def test_a_link_that_somebody_makes_meanwhile_is_not_taken_along(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk")

    def link(call: Any) -> None:
        if call.method == "DELETE" and not call.path.endswith("agent-link"):
            vendor.dasha.link(used, "somebody", "inbound")

    vendor.meanwhile = link
    found = deleting(vendor, used, if_linked="unlink")
    assert outcomes(found) == [(None, False)]
    assert vendor.dasha.links()[used] == ("somebody", [])


@pytest.mark.parametrize(("status", "links"), [(403, ("desk", ["campaign"])), (503, (None, []))])
def test_one_that_cannot_be_deleted_goes_back_unless_a_retry_may_delete_it(vendor, status, links) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk", outbound=["campaign"])
    vendor.refuses = {f"DELETE /api/v1/sip-phone-numbers/{used} ": status}
    found = deleting(vendor, used, if_linked="unlink")
    assert vendor.dasha.links()[used] == links
    assert found.retry_helps is (status == 503)
    vendor.refuses.clear()
    assert outcomes(deleting(vendor, used, if_linked="unlink", journal=found.journal)) == [("deleted", True)]


def test_a_name_that_may_be_several_numbers_is_none_of_them(vendor) -> None:
    ids = [
        vendor.dasha.add_number("+1555", trunk) for trunk in (TRUNK, "c0000000-0000-4000-8000-000000000009")
    ]
    found = deleting(vendor, "+1555")
    assert "may be any of 2 numbers" in str(found.numbers[0].reason)
    assert [*vendor.dasha.numbers] == ids
    assert outcomes(deleting(vendor, *ids, ids[0].upper())) == [("deleted", True)] * 2
