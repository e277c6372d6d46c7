from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.alias_generators import to_snake
from unit.api.fake_dasha import number_json

from airflow_provider_phonelink.api import dasha, field_types
from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber, PhoneNumberPage
from airflow_provider_phonelink.decisions.registration import RegistrationRules, Verdict, judge, registers

#: The answer as it stands in the vendor's pages.
SAMPLE = {
    "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "orgId": "<string>",
    "phoneNumber": "<string>",
    "credentialsId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "createdTime": "2023-11-07T05:31:56Z",
    "lastUpdateTime": "2023-11-07T05:31:56Z",
    "registrationStatus": {
        "state": "Disabled",
        "errorDescription": "<string>",
        "sipResponseMessage": "<string>",
        "lastUpdated": "2023-11-07T05:31:56Z",
        "expiresAt": "2023-11-07T05:31:56Z",
    },
    "description": "<string>",
    "displayName": "<string>",
    "registration": True,
    "providerId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "incomingCallsAgentId": "<string>",
}
MOMENT = datetime(2023, 11, 7, 5, 31, 56, tzinfo=timezone.utc)
OPTIONAL = ("description", "displayName", "providerId", "incomingCallsAgentId")
NEEDED = ("id", "phoneNumber", "credentialsId")
#: What no decision depends on.
INCIDENTAL = ("orgId", "createdTime", "lastUpdateTime", "description", "displayName", "registration")

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(**fields: object) -> PhoneNumber:
    return PhoneNumber.model_validate_json(json.dumps({**SAMPLE, **fields}))


def without(*names: str) -> str:
    return json.dumps({name: value for name, value in SAMPLE.items() if name not in names})


def test_every_field_of_the_pages_is_read() -> None:
    number = read()
    assert number.id == number.credentials_id == number.provider_id == SAMPLE["id"]
    assert number.org_id == number.phone_number == number.description == number.display_name == "<string>"
    assert number.incoming_calls_agent_id == "<string>"
    assert number.registration is True
    assert number.created_time == number.last_update_time == MOMENT
    status = number.registration_status
    assert (status.state, status.error_description, status.sip_response_message) == (
        "Disabled",
        "<string>",
        "<string>",
    )
    assert status.last_updated == status.expires_at == MOMENT
    assert not number.model_extra
    assert not status.model_extra


def test_is_dumped_in_snake_case_for_xcom() -> None:
    assert read().model_dump(mode="json") == {
        "id": SAMPLE["id"],
        "org_id": "<string>",
        "phone_number": "<string>",
        "credentials_id": SAMPLE["id"],
        "created_time": "2023-11-07T05:31:56Z",
        "last_update_time": "2023-11-07T05:31:56Z",
        "registration_status": {
            "state": "Disabled",
            "error_description": "<string>",
            "sip_response_message": "<string>",
            "last_updated": "2023-11-07T05:31:56Z",
            "expires_at": "2023-11-07T05:31:56Z",
        },
        "description": "<string>",
        "display_name": "<string>",
        "registration": True,
        "provider_id": SAMPLE["id"],
        "incoming_calls_agent_id": "<string>",
    }


def test_unknown_fields_are_kept_with_the_vendors_name() -> None:
    number = read(newField={"deepField": [1, None]}, registrationStatus={"state": "x", "retryCount": 3})
    dumped = number.model_dump(mode="json")
    assert dumped["newField"] == {"deepField": [1, None]}
    assert dumped["registration_status"]["retryCount"] == 3


def test_an_unknown_field_cannot_take_the_place_of_a_known_one() -> None:
    dumped = read(
        phone_number="evil",
        incoming_calls_agent_id="evil",
        registrationStatus={"state": "x", "errorDescription": "good", "error_description": "evil"},
    ).model_dump(mode="json")
    assert (dumped["phone_number"], dumped["incoming_calls_agent_id"]) == ("<string>", "<string>")
    assert dumped["registration_status"]["error_description"] == "good"


@pytest.mark.parametrize("name", ["incomingCallsAgentId", "providerId"])
def test_an_empty_id_is_none(name) -> None:
    assert read(**{name: ""}) == read(**{name: None})


@pytest.mark.parametrize("name", ["incomingCallsAgentId", "providerId"])
@pytest.mark.parametrize("value", [False, 0, [], {}])
def test_what_is_no_id_is_not_taken_for_none(name, value) -> None:
    with pytest.raises(ValidationError, match=name):
        read(**{name: value})


@pytest.mark.parametrize("state", ["Registered", "registered", "SomethingNew", "", "Nicht verfügbar"])
def test_every_state_is_kept_as_it_is(state) -> None:
    assert read(registrationStatus={"state": state}).registration_status.state == state


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_field_may_be_null_or_left_out(name) -> None:
    assert PhoneNumber.model_validate_json(without(name)) == read(**{name: None})


@pytest.mark.parametrize("name", INCIDENTAL)
@pytest.mark.parametrize("value", [{"a": 1}, [], "n/a"])
def test_a_field_that_nothing_here_needs_is_none_if_it_cannot_be_read(name, value) -> None:
    if value == "n/a" and name in ("orgId", "description", "displayName"):
        value = -1
    number = read(**{name: value})
    assert number == read(**{name: None})
    assert number.unreadable == {to_snake(name)}
    assert number.model_dump(mode="json") == read(**{name: None}).model_dump(mode="json")


@pytest.mark.parametrize("name", ["lastUpdated", "expiresAt", "errorDescription", "sipResponseMessage"])
def test_what_cannot_be_read_of_a_registration_is_none(name) -> None:
    status = read(registrationStatus={"state": "x", name: {}}).registration_status
    assert status.model_dump()[to_snake(name)] is None
    assert status.unreadable == {to_snake(name)}


@pytest.mark.parametrize("status", [None, "Registered", 5, [], {}, {"state": None}, {"state": {}}])
def test_a_state_that_cannot_be_read_is_empty(status) -> None:
    assert read(registrationStatus=status).registration_status.state == ""
    assert PhoneNumber.model_validate_json(without("registrationStatus")).registration_status.state == ""


def test_an_active_state_whose_end_cannot_be_read_is_not_counted_as_active() -> None:
    number = read(registrationStatus={"state": "Registered", "expiresAt": "01/01/2020"})
    now = datetime.now(timezone.utc)
    for check_expiry, verdict in ((True, Verdict.WAITING), (False, Verdict.ACTIVE)):
        rules = RegistrationRules(("Registered",), ("Failed",), check_expiry)
        assert judge("id", number, rules, now).verdict is verdict


def test_a_number_whose_registration_cannot_be_read_is_waited_for() -> None:
    """Linked at once, it may never register."""
    assert registers(read(registration="perhaps", registrationStatus="?"))
    assert not registers(read(registration=None, registrationStatus="?"))


def test_what_is_readable_is_not_called_unreadable() -> None:
    assert read().unreadable == read().registration_status.unreadable == frozenset()
    assert read(createdTime="", displayName="", description=None).unreadable == frozenset()
    assert read(unreadable=["id"]).unreadable == frozenset()


def test_each_unreadable_field_is_warned_of_once(caplog) -> None:
    field_types._warn_once.cache_clear()
    for _ in range(3):
        read(createdTime="garbage", displayName={})
    warned = [record.getMessage() for record in caplog.records]
    assert [
        sum(f"field {name} " in line for line in warned) for name in ("created_time", "display_name")
    ] == [
        1,
        1,
    ]


def test_one_unreadable_field_costs_nobody_a_list() -> None:
    page = {"items": [SAMPLE, {**SAMPLE, "createdTime": "garbage"}], "totalCount": 2, "skip": 0, "take": 20}
    assert len(PhoneNumberPage.model_validate_json(json.dumps(page)).items) == 2


@pytest.mark.parametrize("name", ["orgId", "createdTime", "lastUpdateTime", "registration"])
def test_a_field_that_nothing_here_needs_may_be_left_out(name) -> None:
    assert PhoneNumber.model_validate_json(without(name)).id == SAMPLE["id"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_needed_field_may_not_be_missing_or_null(name) -> None:
    with pytest.raises(ValidationError, match=name):
        PhoneNumber.model_validate_json(without(name))
    with pytest.raises(ValidationError, match=name):
        read(**{name: None})


def test_a_page_is_read() -> None:
    page = PhoneNumberPage.model_validate_json(
        json.dumps({"items": [SAMPLE], "totalCount": 123, "skip": 122, "take": 20})
    )
    assert (page.total_count, page.skip, page.take, len(page.items)) == (123, 122, 20, 1)


@pytest.mark.parametrize("missing", ["items", "totalCount"])
def test_a_page_without_items_or_count_is_no_page(missing) -> None:
    page = {"items": [], "totalCount": 0, "skip": 0, "take": 20}
    del page[missing]
    with pytest.raises(ValidationError, match=missing):
        PhoneNumberPage.model_validate_json(json.dumps(page))


def test_affected_agents_are_read() -> None:
    affected = AffectedAgents.model_validate_json(
        '{"id": "n", "phoneNumber": "+1", "affectedAgents":'
        ' [{"agentId": "a", "agentName": "A", "uses": ["inbound", "new"]}, {"agentId": "b", "uses": []}]}'
    )
    assert affected.phone_number == "+1"
    assert [(agent.agent_id, agent.agent_name, agent.uses) for agent in affected.affected_agents] == [
        ("a", "A", ["inbound", "new"]),
        ("b", None, []),
    ]


def test_no_affected_agents_may_be_null() -> None:
    assert AffectedAgents.model_validate_json('{"id": "n", "affectedAgents": null}').affected_agents == []


@pytest.mark.parametrize(
    "body", ['{"id": "n"}', *(f'{{"id": "n", "affectedAgents": {x}}}' for x in ("0", "{}", '""'))]
)
def test_what_is_no_list_is_not_taken_for_no_affected_agents(body) -> None:
    with pytest.raises(ValidationError, match="affectedAgents"):
        AffectedAgents.model_validate_json(body)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2023-11-07T05:31:56.1234567+02:00"]
)
def test_the_vendors_extreme_moments_are_read_and_dumped(moment) -> None:
    number = read(registrationStatus={"state": "x", "expiresAt": moment})
    json.dumps(number.model_dump(mode="json"))


@settings(deadline=None)
@given(st.dictionaries(st.text(), ANY_JSON, max_size=5), st.sampled_from(sorted(SAMPLE)), ANY_JSON)
def test_whatever_is_accepted_fits_into_xcom(extras, name, value) -> None:
    body = json.dumps({**extras, **SAMPLE, name: value})
    try:
        number = PhoneNumber.model_validate_json(body)
    except ValidationError:
        return
    dumped = json.loads(json.dumps(number.model_dump(mode="json"), allow_nan=False))
    assert dumped["id"] == number.id
    assert set(extras) - set(SAMPLE) <= set(dumped)


@pytest.mark.parametrize(
    "value",
    [
        "9" * 4000,
        "-" + "9" * 4000,
        "NaN",
        "[Infinity]",
        "[" * 150 + "]" * 150,
        '{"a":' * 150 + "1" + "}" * 150,
    ],
)
def test_hostile_extra_values_fit_into_xcom(value) -> None:
    number = PhoneNumber.model_validate_json(json.dumps(SAMPLE)[:-1] + f', "extra": {value}}}')
    assert "extra" in json.loads(json.dumps(number.model_dump(mode="json"), allow_nan=False))


def test_models_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().phone_number = "+2"


def test_the_package_loads_its_models_when_asked() -> None:
    assert dasha.models.PhoneNumber is PhoneNumber
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        _ = dasha.nobody


def test_the_fake_vendors_numbers_have_every_field() -> None:
    assert set(number_json()) == set(SAMPLE)
