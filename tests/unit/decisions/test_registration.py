from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.api.carrying import dasha_settings, is_one_line
from unit.api.fake_dasha import number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.models import PhoneNumber
from airflow_provider_phonelink.decisions.registration import (
    SKEW,
    RegistrationRules,
    Verdict,
    assess,
    hopeless_message,
    joined_descriptions,
    judge,
    registers,
    rules_of,
    timeout_message,
)

NOW = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
RULES = RegistrationRules(("Registered", "Active"), ("Failed", "Error", "Rejected"))
LENIENT = RegistrationRules(RULES.active_states, RULES.failed_states, check_expiry=False)
ID = number_id(1)


def number(state: str, *, registration: bool | None = True, index: int = 1, **status: Any) -> PhoneNumber:
    return PhoneNumber.model_validate(
        number_json(index, registration=registration, registrationStatus={"state": state, **status})
    )


def verdict(state: str, rules: RegistrationRules = RULES, **options: Any) -> Verdict:
    return judge(ID, number(state, **options), rules, NOW).verdict


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Registered", Verdict.ACTIVE),
        ("ACTIVE", Verdict.ACTIVE),
        ("active", Verdict.ACTIVE),
        ("Failed", Verdict.FAILED),
        ("error", Verdict.FAILED),
        ("REJECTED", Verdict.FAILED),
        ("Registering", Verdict.WAITING),
        ("", Verdict.WAITING),
        (" Registered ", Verdict.ACTIVE),
        ("failed\n", Verdict.FAILED),
        ("Disabled", Verdict.WAITING),
    ],
)
def test_states_are_judged_in_any_case(state, expected) -> None:
    assert verdict(state) is expected


@pytest.mark.parametrize(
    ("registration", "expected"), [(False, Verdict.NEVER), (True, Verdict.WAITING), (None, Verdict.WAITING)]
)
@pytest.mark.parametrize("state", ["Disabled", "disabled"])
def test_disabled_is_never_only_if_registration_is_off(state, registration, expected) -> None:
    assert verdict(state, registration=registration) is expected


def test_registration_off_is_never_only_if_disabled() -> None:
    assert verdict("Registering", registration=False) is Verdict.WAITING


def test_the_sets_of_states_can_be_chosen() -> None:
    rules = RegistrationRules(("Online", "Disabled"), ("Registered",))
    assert verdict("ONLINE", rules) is Verdict.ACTIVE
    assert verdict("Registered", rules) is Verdict.FAILED
    assert verdict("Active", rules) is Verdict.WAITING
    assert verdict("Disabled", rules, registration=False) is Verdict.ACTIVE


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        (None, Verdict.ACTIVE),
        (NOW + timedelta(hours=1), Verdict.ACTIVE),
        (NOW, Verdict.ACTIVE),
        (NOW - SKEW, Verdict.ACTIVE),
        (NOW - SKEW - timedelta(seconds=1), Verdict.WAITING),
        ((NOW - SKEW).replace(tzinfo=None), Verdict.ACTIVE),
        ((NOW - timedelta(hours=1)).replace(tzinfo=None), Verdict.WAITING),
        ((NOW - timedelta(hours=1)).astimezone(timezone(timedelta(hours=14))), Verdict.WAITING),
        ("9999-12-31T23:59:59.9999999Z", Verdict.ACTIVE),
        ("9999-12-31T23:59:59.9999999", Verdict.ACTIVE),
        ("0001-01-01T00:00:00Z", Verdict.WAITING),
        ("0001-01-01T00:00:00+14:00", Verdict.WAITING),
        ("9999-12-31T23:59:59-14:00", Verdict.ACTIVE),
    ],
)
def test_an_active_registration_counts_until_it_expires(expires_at, expected) -> None:
    assert verdict("Registered", expiresAt=expires_at) is expected
    assert verdict("Registered", LENIENT, expiresAt=expires_at) is Verdict.ACTIVE


@pytest.mark.parametrize("state", ["Failed", "Registering"])
def test_expiry_is_about_active_states_only(state) -> None:
    assert verdict(state, expiresAt=NOW - timedelta(days=1)) is verdict(state)


@given(st.datetimes(timezones=st.none() | st.timezones()), st.text())
def test_every_state_and_moment_is_judged(expires_at, state) -> None:
    wide = RegistrationRules(("Registered", state), ("Failed",))
    judgement = judge(ID, number(state, expiresAt=expires_at), wide, NOW)
    assert judgement.verdict in (Verdict.ACTIVE, Verdict.WAITING, Verdict.FAILED)
    assert judgement.state == state
    assert is_one_line(judgement.description)


def test_an_expired_registration_says_since_when() -> None:
    judgement = judge(ID, number("Registered", expiresAt="2024-05-01T11:00:00Z"), RULES, NOW)
    assert (
        judgement.description
        == f"+15550000001 (id {ID}): Registered, but expired at 2024-05-01T11:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            {"errorDescription": "bad password", "sipResponseMessage": "403 Forbidden"},
            "bad password, 403 Forbidden",
        ),
        ({"sipResponseMessage": "403 Forbidden"}, "403 Forbidden"),
        ({"errorDescription": "bad password"}, "bad password"),
        ({}, "the vendor gives no reason"),
        ({"errorDescription": "two\nlines"}, "two lines"),
    ],
)
def test_a_failed_registration_says_why(status, why) -> None:
    assert (
        judge(ID, number("Failed", **status), RULES, NOW).description
        == f"+15550000001 (id {ID}): Failed, {why}"
    )


def test_a_number_that_is_gone_is_judged_too() -> None:
    judgement = judge(ID, None, RULES, NOW)
    assert (judgement.verdict, judgement.state) == (Verdict.GONE, "")
    assert judgement.description == f"{ID}: there is no such number"


@pytest.mark.parametrize(
    ("state", "registration", "expected"),
    [
        ("Disabled", True, True),
        ("Registered", False, False),
        ("disabled", None, False),
        ("Registered", None, True),
        ("Failed", None, True),
    ],
)
def test_a_registration_that_is_left_out_is_on_unless_disabled(state, registration, expected) -> None:
    assert registers(number(state, registration=registration)) is expected


@pytest.mark.parametrize(
    ("verdict", "ends"),
    [
        (Verdict.ACTIVE, False),
        (Verdict.WAITING, False),
        (Verdict.FAILED, True),
        (Verdict.NEVER, True),
        (Verdict.GONE, True),
        (Verdict.REFUSED, True),
    ],
)
def test_some_verdicts_end_the_wait(verdict, ends) -> None:
    assert verdict.ends_the_wait is ends


def test_progress_of_several_numbers() -> None:
    progress = assess(
        {
            number_id(1): number("Registered"),
            number_id(2): number("Registering", index=2),
            number_id(3): number("Failed", index=3),
            number_id(4): number("Disabled", index=4, registration=False),
            number_id(5): None,
        },
        RULES,
        NOW,
    )
    assert not progress.done
    assert [judgement.number_id for judgement in progress.waiting] == [number_id(2)]
    assert [judgement.number_id for judgement in progress.hopeless] == [
        number_id(index) for index in (3, 4, 5)
    ]
    assert list(progress.states.values()) == ["Registered", "Registering", "Failed", "Disabled", ""]
    assert progress.summary.startswith("1 of 5 numbers are active. Not active: +15550000002 (")
    assert number_id(1) not in progress.summary
    assert all(number_id(index) in progress.summary for index in (2, 3, 4, 5))
    assert (
        hopeless_message(progress) == f"Waiting longer cannot help. {joined_descriptions(progress.hopeless)}."
    )
    timed_out = timeout_message(list(progress.states), progress)
    assert number_id(2) in timed_out
    assert "Registering" in timed_out
    assert number_id(1) not in timed_out


def test_a_wait_is_done_when_every_number_is_active() -> None:
    progress = assess(
        {number_id(1): number("Registered"), number_id(2): number("Active", index=2)}, RULES, NOW
    )
    assert progress.done
    assert not progress.hopeless
    assert not progress.waiting
    assert progress.summary == "2 of 2 numbers are active."


@pytest.mark.parametrize(
    ("state", "unknown"),
    [("Online", True), ("Registering", True), ("Registered", False), ("failed", False), ("Disabled", False)],
)
def test_a_state_that_nobody_explained_says_so(state, unknown) -> None:
    rules = rules_of(dasha_settings(source="Connection 'x'"), None, "Failed")
    assessment = assess({ID: number(state)}, rules, NOW)
    assert list(assessment.unknown_states) == [state] * unknown
    assert ("a state that is unknown here" in assessment.summary) is unknown
    for sentence in assessment.unknown_states.values():
        assert f"'{state}' is unknown here" in sentence
        assert "add it to the extra `active_states` of connection 'x'" in sentence
        assert "to this wait's `failed_states`" in sentence
        assert sentence in timeout_message([ID], assessment)


def test_a_state_that_cannot_be_read_is_unknown_and_nobody_is_told_to_add_it() -> None:
    assessment = assess({ID: number("")}, RULES, NOW)
    assert assessment.judgements[0].reason == "no registration state that can be read"
    [sentence] = assessment.unknown_states.values()
    assert "cannot be read counts as not active" in sentence
    assert "active_states" not in sentence


def test_a_report_has_every_number_once() -> None:
    numbers = {
        number_id(1): number("Registered"),
        number_id(2): number("Registering", index=2),
        number_id(3): number("Failed", index=3, errorDescription="bad password"),
        number_id(4): None,
    }
    refused = {number_id(5): errors.AccessDeniedError("answered 403.", method="GET", path="/x", status=403)}
    report = assess(numbers, RULES, NOW, refused).report
    assert report["active"] == [number_id(1)]
    assert report["waiting"] == {number_id(2): "Registering"}
    assert list(report["failed"]) == [number_id(index) for index in (3, 4, 5)]
    assert report["failed"][number_id(3)] == "Failed, bad password"
    assert report["failed"][number_id(4)] == "there is no such number"
    assert "answered 403" in report["failed"][number_id(5)]


def test_a_timeout_without_any_poll_names_the_numbers() -> None:
    message = timeout_message([number_id(1), number_id(2)], None)
    assert "the last poll failed" in message
    assert f"{number_id(1)}; {number_id(2)}" in message


@pytest.mark.parametrize("state", ["Failed", "Registering"])
def test_of_hundreds_of_numbers_a_message_names_the_first_twenty(state) -> None:
    ids = [number_id(index) for index in range(1, 301)]
    numbers = {id_: number(state, index=index) for index, id_ in enumerate(ids, 1)}
    assessment = assess(numbers, RULES, NOW)
    message = hopeless_message(assessment) if state == "Failed" else timeout_message(ids, assessment)
    for text in (message, assessment.summary, timeout_message(ids, None)):
        assert [id_ for id_ in ids if id_ in text] == ids[:20]
        assert "and 280 more" in text


def test_a_verdict_is_plain_text_for_the_trigger() -> None:
    assert Verdict("active") is Verdict.ACTIVE
    assert Verdict.ACTIVE.value == "active"


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
