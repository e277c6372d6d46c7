from __future__ import annotations

import pytest
from unit.api import faults
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.decisions.registration import RegistrationRules
from airflow_provider_phonelink.promises.dasha.wait import look_at_registrations, rules_of

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


@pytest.mark.parametrize("code", [401, 403, 500])
def test_a_look_that_does_not_work_is_an_error(carry_out, code) -> None:
    vendor = FakeDasha(in_state(1, "Registered"))
    vendor.on("GET", "", *[faults.status(code)] * 50)
    with pytest.raises(errors.VendorError) as caught:
        carry_out(look_at_registrations([number_id(1)], RULES), vendor=vendor)
    assert caught.value.status == code


@pytest.mark.parametrize(
    ("active", "failed", "expected"),
    [
        (None, None, (("On",), ("Off",))),
        ("A, B", None, (("A", "B"), ("Off",))),
        (None, ["C"], (("On",), ("C",))),
        (["A"], "C,D", (("A",), ("C", "D"))),
    ],
)
def test_a_wait_may_name_its_own_states(active, failed, expected) -> None:
    settings = dasha_settings(active_states="On", failed_states="Off", check_expiry=False)
    rules = rules_of(settings, active, failed)
    assert (rules.active_states, rules.failed_states) == expected
    assert rules.check_expiry is False


@pytest.mark.parametrize("states", ["", [], "None", [7]])
def test_states_that_are_none_are_refused(states) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="active_states"):
        rules_of(dasha_settings(), states, None)
