from __future__ import annotations

import pytest
from unit.api import faults
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.decisions.registration import RegistrationRules, Verdict
from airflow_provider_phonelink.promises.dasha.wait import look_at_registrations

RULES = RegistrationRules(("Registered",), ("Failed",))


def in_state(index: int, state: str) -> dict:
    return number_json(index, registration=True, registrationStatus={"state": state})


def test_one_look_judges_all(carry_out) -> None:
    vendor = FakeDasha(in_state(1, "Registered"), in_state(2, "Registering"), in_state(3, "Failed"))
    progress = carry_out(look_at_registrations([number_id(i) for i in (1, 2, 3, 4)], RULES), vendor=vendor)
    assert list(progress.states.values()) == ["Registered", "Registering", "Failed", ""]
    assert not progress.done
    assert len(vendor.requests) == 2


def test_done_when_all_are_active(carry_out) -> None:
    vendor = FakeDasha(in_state(1, "Registered"))
    assert carry_out(look_at_registrations([number_id(1)], RULES), vendor=vendor).done


def test_a_number_that_the_key_may_not_read_is_judged_like_one_that_is_gone(carry_out) -> None:
    vendor = FakeDasha(in_state(1, "Registered"))
    vendor.on("GET", number_id(1), faults.status(403))
    [judgement] = carry_out(look_at_registrations([number_id(1)], RULES), vendor=vendor).hopeless
    assert judgement.verdict is Verdict.REFUSED
    assert "answered 403" in judgement.description


@pytest.mark.parametrize("code", [401, 500])
def test_a_look_that_does_not_work_is_an_error(carry_out, code) -> None:
    vendor = FakeDasha(in_state(1, "Registered"))
    vendor.on("GET", "", *[faults.status(code)] * 50)
    with pytest.raises(errors.VendorError) as caught:
        carry_out(look_at_registrations([number_id(1)], RULES), vendor=vendor)
    assert caught.value.status == code


def test_a_refused_list_is_an_error(carry_out) -> None:
    vendor = FakeDasha(in_state(1, "Registered"), in_state(2, "Registered"))
    vendor.on("GET", "", *[faults.status(403)] * 50)
    with pytest.raises(errors.AccessDeniedError):
        carry_out(look_at_registrations([number_id(1), number_id(2)], RULES), vendor=vendor)
