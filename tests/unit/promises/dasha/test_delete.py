from __future__ import annotations

import pytest
from unit.api import faults
from unit.api.fake_dasha import PROVIDER, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.models import PhoneNumber
from airflow_provider_phonelink.promises.dasha.delete import delete_seen

ID = number_id(1)
SEEN = PhoneNumber.model_validate(number_json(1))


def vendor_of(kind: str | None = None) -> FakeDasha:
    vendor = FakeDasha()
    if kind:
        vendor.organisation.trunks.add_provider(kind, id=PROVIDER)
    vendor.add(number_json(1, providerId=PROVIDER if kind else None))
    return vendor


@pytest.mark.parametrize(("kind", "requests"), [(None, 2), ("twilio", 3), ("vonage", 3)])
def test_the_number_is_gone(carry_out, kind, requests) -> None:
    vendor = vendor_of(kind)
    seen = SEEN.model_copy(update={"provider_id": PROVIDER if kind else None})
    deleted = carry_out(delete_seen(seen), vendor=vendor)
    assert (vendor.numbers, len(vendor.requests)) == ({}, requests)
    assert deleted.summary == f"Number +15550000001 (id {ID}) was deleted."
    assert [PROVIDER in warning for warning in deleted.warnings] == ([True] if kind == "vonage" else [])


def test_a_delete_that_shows_late_is_waited_for(carry_out) -> None:
    vendor = vendor_of()
    shown = faults.status(200, json=number_json(1))
    vendor.on("GET", "", shown, shown)
    carry_out(delete_seen(SEEN), vendor=vendor)
    assert carry_out.clock.slept == [0.5, 1.0]


def test_a_delete_without_effect_is_told(carry_out) -> None:
    vendor = vendor_of()
    vendor.on("DELETE", "", faults.status(204))
    with pytest.raises(errors.NotTakenEffectError, match="still shows it"):
        carry_out(delete_seen(SEEN), vendor=vendor)
    assert list(vendor.numbers) == [ID]
