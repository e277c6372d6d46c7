from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from unit.api import faults
from unit.api.fake_dasha import CREDENTIALS, OTHER_CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.promises.dasha.create import create_number

ID = number_id(1)


def with_number(**fields: Any) -> FakeDasha:
    return FakeDasha(number_json(1, phoneNumber="+1", **fields))


def create(**options: Any) -> Any:
    return create_number("+1", CREDENTIALS, **options)


@pytest.mark.parametrize("if_exists", ["adopt", "update", "fail"])
def test_a_number_that_is_not_there_is_created(carry_out, if_exists) -> None:
    vendor = FakeDasha()
    created = carry_out(create(display_name="A", registration="True", if_exists=if_exists), vendor=vendor)
    [number] = vendor.numbers.values()
    assert (number["phoneNumber"], number["displayName"], number["registration"]) == ("+1", "A", True)
    assert (created.adopted, created.warnings, len(vendor.writes)) == (False, (), 1)
    assert created.result() == {**created.number.model_dump(mode="json"), "adopted": False}


def test_what_the_task_does_not_name_is_left_to_the_vendors_defaults(carry_out) -> None:
    vendor = FakeDasha()
    created = carry_out(create(), vendor=vendor).number
    assert (created.display_name, created.description, created.registration) == (None, None, False)


@pytest.mark.parametrize(
    "wish",
    [{}, {"display_name": "A"}, {"description": "B"}, {"registration": True}, {"registration": "true"}],
)
def test_a_number_that_is_as_wished_is_adopted(carry_out, wish) -> None:
    vendor = with_number(displayName="A", description="B", registration=True)
    created = carry_out(create(**wish), vendor=vendor)
    assert (created.adopted, created.number.id, created.warnings, vendor.writes) == (True, ID, (), [])
    assert "adopted" in created.summary


@pytest.mark.parametrize("if_exists", ["adopt", "update"])
def test_a_number_with_other_credentials_is_another_number(carry_out, if_exists) -> None:
    vendor = with_number(credentialsId=OTHER_CREDENTIALS)
    created = carry_out(create(if_exists=if_exists), vendor=vendor)
    assert (created.adopted, len(vendor.numbers), vendor.numbers[ID]["credentialsId"]) == (
        False,
        2,
        OTHER_CREDENTIALS,
    )


@pytest.mark.parametrize("exact", [True, False])
def test_a_longer_phone_number_is_another_number(carry_out, exact) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="+12"), exact_filter=exact)
    assert not carry_out(create(), vendor=vendor).adopted
    assert len(vendor.numbers) == 2


@pytest.mark.parametrize("credentials", [CREDENTIALS.upper(), UUID(CREDENTIALS)])
def test_credentials_may_be_in_any_form_of_a_uuid(carry_out, credentials) -> None:
    vendor = with_number()
    assert carry_out(create_number("+1", credentials), vendor=vendor).adopted
    assert vendor.writes == []


def test_other_names_are_a_warning(carry_out) -> None:
    vendor = with_number(displayName="Old", description=None)
    created = carry_out(create(display_name="New", description="D"), vendor=vendor)
    assert (created.adopted, vendor.writes) == (True, [])
    assert created.number.display_name == "Old"
    assert len(created.warnings) == 2
    assert "has display_name='Old' instead of 'New'; use if_exists='update'" in created.warnings[0]
    assert all("if_exists='update'" in warning for warning in created.warnings)


@pytest.mark.parametrize(("has", "wished"), [(True, False), (False, True)])
def test_another_registration_is_an_error(carry_out, has, wished) -> None:
    vendor = with_number(registration=has)
    with pytest.raises(
        errors.AlreadyExistsError, match=f"registration={has} instead of {wished}.*if_exists='update'"
    ):
        carry_out(create(registration=wished, display_name="x"), vendor=vendor)
    assert vendor.writes == []


@pytest.mark.parametrize("wish", [{}, {"registration": True}])
def test_an_existing_number_can_be_refused(carry_out, wish) -> None:
    vendor = with_number()
    with pytest.raises(errors.AlreadyExistsError, match="if_exists='fail'") as caught:
        carry_out(create(if_exists="fail", **wish), vendor=vendor)
    assert not caught.value.retry_helps
    assert vendor.writes == []


def test_an_update_changes_what_is_named_and_keeps_the_rest(carry_out) -> None:
    vendor = with_number(displayName="A", description="B", registration=True, incomingCallsAgentId="agent-a")
    created = carry_out(create(display_name="New", if_exists="update"), vendor=vendor)
    number = vendor.numbers[ID]
    assert (number["displayName"], number["description"], number["registration"]) == ("New", "B", True)
    assert number["incomingCallsAgentId"] == "agent-a"
    assert (created.adopted, created.number.display_name, len(vendor.writes)) == (True, "New", 1)
    assert "display_name updated" in created.summary


@pytest.mark.parametrize(
    ("shown", "unread"),
    [
        ({"displayName": {"de": "A"}}, "display_name"),
        ({"description": 5, "displayName": []}, "description and display_name"),
        ({"registration": {}}, "registration"),
        ({"registration": None, "registrationStatus": None}, "registration"),
    ],
)
def test_an_update_does_not_reset_what_cannot_be_read(carry_out, shown, unread) -> None:
    vendor = with_number(**shown)
    before = dict(vendor.numbers[ID])
    wish = {"description": "B"} if "description" not in shown else {"registration": True}
    with pytest.raises(errors.PromiseError, match=f"its {unread} cannot be read.*Nothing was changed"):
        carry_out(create(**wish, if_exists="update"), vendor=vendor)
    assert (vendor.writes, vendor.numbers[ID]) == ([], before)


def test_an_update_may_name_what_cannot_be_read(carry_out) -> None:
    vendor = with_number(displayName={"de": "A"}, registrationStatus=None, registration=True)
    created = carry_out(create(display_name="New", if_exists="update"), vendor=vendor)
    number = vendor.numbers[ID]
    assert (number["displayName"], number["registration"], created.number.display_name) == (
        "New",
        True,
        "New",
    )


def test_an_update_can_switch_registration(carry_out) -> None:
    vendor = with_number(registration=False, displayName="A")
    created = carry_out(create(registration=True, description="B", if_exists="update"), vendor=vendor)
    assert (vendor.numbers[ID]["registration"], vendor.numbers[ID]["displayName"]) == (True, "A")
    assert "description and registration updated" in created.summary


def test_an_update_with_nothing_to_change_writes_nothing(carry_out) -> None:
    vendor = with_number(displayName="A")
    created = carry_out(create(display_name="A", if_exists="update"), vendor=vendor)
    assert (created.adopted, vendor.writes) == (True, [])


def test_an_update_that_does_not_take_is_an_error(carry_out) -> None:
    vendor = with_number()
    vendor.on("PUT", "", faults.status(200, json=number_json(1, phoneNumber="+1", registration=True)))
    with pytest.raises(
        errors.NotTakenEffectError, match="was updated, but right afterwards has registration as before"
    ) as caught:
        carry_out(create(registration=True, if_exists="update"), vendor=vendor)
    assert caught.value.retry_helps


@pytest.mark.parametrize("if_exists", ["adopt", "update", "fail"])
def test_a_creation_that_does_not_take_is_an_error(carry_out, if_exists) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", faults.status(201, json=number_json(1, phoneNumber="+1")))
    with pytest.raises(
        errors.NotTakenEffectError, match="the vendor still does not know it ten seconds later"
    ) as caught:
        carry_out(create(if_exists=if_exists), vendor=vendor)
    assert caught.value.retry_helps


@pytest.mark.parametrize("if_exists", ["adopt", "update", "fail"])
def test_a_creation_without_the_wished_registration_is_an_error(carry_out, if_exists) -> None:
    vendor = FakeDasha()
    made = number_json(1, phoneNumber="+1", registration=False)
    vendor.on("POST", "", faults.meanwhile(lambda: vendor.add(made), faults.status(201, json=made)))
    with pytest.raises(
        errors.NotTakenEffectError, match="afterwards has registration=False instead of True"
    ) as caught:
        carry_out(create(registration=True, if_exists=if_exists), vendor=vendor)
    assert caught.value.retry_helps


@pytest.mark.parametrize("if_exists", ["adopt", "update", "fail"])
def test_a_creation_with_other_names_than_wished_is_a_warning(carry_out, if_exists) -> None:
    vendor = FakeDasha()
    made = number_json(1, phoneNumber="+1", displayName="A")
    vendor.on("POST", "", faults.meanwhile(lambda: vendor.add(made), faults.status(201, json=made)))
    created = carry_out(create(display_name=" A ", if_exists=if_exists), vendor=vendor)
    assert (created.adopted, created.number.display_name) == (False, "A")
    [warning] = created.warnings
    assert warning.endswith("has display_name='A' instead of ' A '.")


@pytest.mark.parametrize(("has", "wished"), [(None, ""), ("", "")])
@pytest.mark.parametrize("if_exists", ["adopt", "update"])
def test_an_empty_text_is_none(carry_out, has, wished, if_exists) -> None:
    vendor = with_number(displayName=has)
    created = carry_out(create(display_name=wished, if_exists=if_exists), vendor=vendor)
    assert (created.warnings, vendor.writes) == ((), [])


@pytest.mark.parametrize(
    ("state", "wished", "adopted"),
    [
        ("Disabled", False, True),
        ("Disabled", True, False),
        ("Registered", True, True),
        ("Failed", False, False),
    ],
)
def test_a_registration_that_is_left_out_is_told_by_its_state(carry_out, state, wished, adopted) -> None:
    number = number_json(1, phoneNumber="+1", registrationStatus={"state": state})
    del number["registration"]
    vendor = FakeDasha(number)
    if adopted:
        assert carry_out(create(registration=wished), vendor=vendor).adopted
    else:
        with pytest.raises(errors.AlreadyExistsError, match=f"registration={not wished} instead of {wished}"):
            carry_out(create(registration=wished), vendor=vendor)
    assert vendor.writes == []


def test_an_update_without_an_answer_is_read_back(carry_out) -> None:
    vendor = with_number()
    vendor.empty_bodies = True
    assert carry_out(create(display_name="A", if_exists="update"), vendor=vendor).number.display_name == "A"


LOST = {
    "lost before": faults.lost_before,
    "lost after": faults.lost_after,
    "HTML after": faults.html_after,
    "truncated after": faults.truncated_after,
    "503 before": faults.status(503),
    "503 after": faults.status(503, after=True),
    "429": faults.status(429),
}


@pytest.mark.parametrize("outcome", sorted(LOST))
@pytest.mark.parametrize("if_exists", ["adopt", "update", "fail"])
def test_one_number_is_there_after_a_lost_answer(carry_out, outcome, if_exists) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", LOST[outcome], LOST[outcome])
    created = carry_out(create(display_name="A", if_exists=if_exists), vendor=vendor)
    assert [number["displayName"] for number in vendor.numbers.values()] == ["A"]
    assert (created.number.id, len(vendor.writes)) == (next(iter(vendor.numbers)), 1)
    assert created.adopted == ("after" in outcome)


@pytest.mark.parametrize("outcome", ["lost after", "503 after"])
def test_the_next_run_adopts_what_a_failed_one_made(carry_out, outcome) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", LOST[outcome])
    vendor.on("GET", "", faults.served, *[faults.lost_before] * 50)
    with pytest.raises(errors.NoAnswerError):
        carry_out(create(), vendor=vendor)
    vendor._planned.clear()
    assert carry_out(create(), vendor=vendor).adopted
    assert len(vendor.numbers) == 1


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_number_that_somebody_else_made_meanwhile_is_adopted(carry_out, status) -> None:
    vendor = FakeDasha(duplicate_status=status)
    rival = number_json(1, phoneNumber="+1", displayName="Theirs")
    vendor.on("POST", "", faults.meanwhile(lambda: vendor.add(rival)))
    created = carry_out(create(display_name="Ours"), vendor=vendor)
    assert (created.adopted, created.number.id, vendor.writes) == (True, ID, [])
    assert "has display_name='Theirs'" in created.warnings[0]


def overtaken(**fields: Any) -> FakeDasha:
    """Return a vendor at which somebody else makes the number while our own answer is lost."""
    vendor = FakeDasha()
    rival = number_json(1, phoneNumber="+1", **fields)
    vendor.on("POST", "", faults.meanwhile(lambda: vendor.add(rival), faults.status(503)))
    return vendor


@pytest.mark.parametrize("if_exists", ["adopt", "fail"])
def test_what_a_look_before_a_repeat_finds_is_judged_like_any_number(carry_out, if_exists) -> None:
    vendor = overtaken(registration=False)
    with pytest.raises(
        errors.AlreadyExistsError, match=r"registration=False instead of True|if_exists='fail'"
    ):
        carry_out(create(registration=True, if_exists=if_exists), vendor=vendor)
    assert vendor.writes == []


def test_what_a_look_before_a_repeat_finds_is_updated_if_wished(carry_out) -> None:
    vendor = overtaken(displayName="Theirs")
    created = carry_out(create(display_name="Ours", if_exists="update"), vendor=vendor)
    assert (vendor.numbers[ID]["displayName"], created.adopted) == ("Ours", True)


def test_what_a_look_before_a_repeat_finds_keeps_its_names(carry_out) -> None:
    created = carry_out(create(display_name="Ours"), vendor=overtaken(displayName="Theirs"))
    assert "has display_name='Theirs' instead of 'Ours'" in created.warnings[0]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_number_that_somebody_else_made_meanwhile_can_be_refused_or_updated(carry_out, status) -> None:
    for if_exists in ("fail", "update"):
        vendor = FakeDasha(duplicate_status=status)
        rival = number_json(1, phoneNumber="+1", displayName="Theirs")
        vendor.on("POST", "", faults.meanwhile(lambda vendor=vendor, rival=rival: vendor.add(rival)))  # type: ignore[misc]
        if if_exists == "fail":
            with pytest.raises(errors.AlreadyExistsError):
                carry_out(create(if_exists=if_exists), vendor=vendor)
        else:
            carry_out(create(display_name="Ours", if_exists=if_exists), vendor=vendor)
            assert vendor.numbers[ID]["displayName"] == "Ours"


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refusal_that_is_no_duplicate_is_told_as_it_is(carry_out, status) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", faults.status(status, json={"title": "Invalid", "detail": "no such credentials"}))
    with pytest.raises(errors.VendorError, match="Invalid: no such credentials") as caught:
        carry_out(create(), vendor=vendor)
    assert (caught.value.status, caught.value.retry_helps, vendor.writes) == (status, False, [])


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_no_answer_to_the_wish_fails_at_once(carry_out, status) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", faults.status(status))
    with pytest.raises(errors.VendorError):
        carry_out(create(), vendor=vendor)
    assert vendor.requests[-1].startswith("POST ")


def test_two_with_the_same_pair_are_an_error(carry_out) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="+1"), number_json(2, phoneNumber="+1"))
    with pytest.raises(errors.PromiseError, match="2 times") as caught:
        carry_out(create(), vendor=vendor)
    assert not caught.value.retry_helps
    assert vendor.writes == []


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("phone_number", {"phone_number": ""}),
        ("phone_number", {"phone_number": "1" * 256}),
        ("credentials_id", {"credentials_id": "None"}),
        ("display_name", {"display_name": "x" * 256}),
        ("display_name", {"display_name": "None"}),
        ("description", {"description": 7}),
        ("registration", {"registration": "maybe"}),
        ("if_exists", {"if_exists": "replace"}),
    ],
)
def test_a_bad_argument_sends_nothing(carry_out, argument, arguments) -> None:
    vendor = FakeDasha()
    with pytest.raises(errors.InvalidArgumentError) as caught:
        carry_out(
            create_number(**{"phone_number": "+1", "credentials_id": CREDENTIALS, **arguments}), vendor=vendor
        )
    assert caught.value.argument == argument
    assert vendor.requests == []
