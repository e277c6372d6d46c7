from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import number_json

from airflow_provider_phonelink.api.dasha.models import PhoneNumber
from airflow_provider_phonelink.doctor.dasha import registrations
from airflow_provider_phonelink.doctor.examination import Circumstances
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure

NOW = datetime(2031, 6, 1, 12, 0, tzinfo=timezone.utc)


def number(n: int, state: str, ends_in: float | None = None, *, registration: bool = True) -> PhoneNumber:
    ends = None if ends_in is None else (NOW + timedelta(seconds=ends_in)).isoformat()
    status = {
        "state": state,
        "expiresAt": ends,
        "errorDescription": "no route" if state == "Failed" else None,
    }
    return PhoneNumber.model_validate(number_json(n, registration=registration, registrationStatus=status))


def findings(*numbers: PhoneNumber, **extras: object) -> list[Finding]:
    settings = dasha_settings(source="Connection 'prod'", **extras)
    return registrations.findings(numbers, Circumstances(settings, NOW, ()))


@pytest.mark.parametrize(
    ("seen", "level", "said", "advice"),
    [
        (number(1, "Registered", 600), Level.OK, "Registered: 1 number (active)", ""),
        (number(1, "registered", -30), Level.OK, "registered: 1 number (active)", ""),
        (number(1, "Registered", -90), Level.TO_DO, "have expired: +15550000001", "`check_expiry`"),
        (number(1, "Failed"), Level.TO_DO, "no route", "SIP credentials"),
        (number(1, "Disabled", registration=False), Level.OK, "switched off", ""),
        (number(1, "Disabled"), Level.OK, "waiting", ""),
        (number(1, "Verbunden"), Level.TO_DO, "unknown here", "`active_states` of connection 'prod'"),
    ],
)
def test_a_state_and_what_to_do_about_it(seen, level, said, advice) -> None:
    finding = findings(seen)[0]
    assert finding.level is level
    assert said in finding.seen
    assert advice in finding.advice
    assert bool(finding.advice) is (level is Level.TO_DO)


def test_an_extra_settles_what_was_unknown() -> None:
    verbunden = number(1, "Verbunden", -90)
    assert findings(verbunden, active_states=["verbunden"], check_expiry=False)[0].level is Level.OK


def test_numbers_are_counted_by_state_the_largest_group_first() -> None:
    counted = findings(*[number(n, "Registered", 600) for n in range(1, 7)], number(7, "Failed"))
    assert [finding.seen.partition(" number")[0] for finding in counted[:2]] == ["Registered: 6", "Failed: 1"]
    assert "expiresAt lies at most 600 s ahead" in counted[2].seen


def test_a_long_list_is_cut() -> None:
    [finding, _] = findings(*[number(n, "Failed") for n in range(1, 10)])
    assert "and 4 more" in finding.seen


def test_no_numbers_tell_nothing() -> None:
    assert [finding.sure for finding in findings()] == [Sure.UNKNOWN]
