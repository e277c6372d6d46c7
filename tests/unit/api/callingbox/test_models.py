from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, Number, NumberList

#: The answer as it stands in the vendor's page.
SAMPLE = {
    "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "org_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "user_id": "<string>",
    "name": "Appointment reminders",
    "type": "inbound",
    "persona": "<string>",
    "instructions": "<string>",
    "voice": "<string>",
    "language": "<string>",
    "returns": {"confirmed": "boolean", "reschedule_to": "string"},
    "tools": [{}],
    "webhook_url": "<string>",
    "voicemail_action": "hangup",
    "primary_number_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "archived_at": "2023-11-07T05:31:56Z",
    "created_at": "2023-11-07T05:31:56Z",
    "updated_at": "2023-11-07T05:31:56Z",
    "numbers": [
        {
            "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "e164": "+15551234567",
            "friendly_name": "<string>",
            "country_code": "US",
            "number_type": "local",
            "status": "active",
            "monthly_cost_cents": 100,
            "purchased_at": "2023-11-07T05:31:56Z",
            "inbound_agent_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "outbound_agent_ids": ["3c90c3cc-0d44-4b50-8888-8dd25736052a"],
        }
    ],
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_every_field_of_the_page_is_read_and_dumped() -> None:
    agent = Agent.model_validate_json(json.dumps(SAMPLE))
    assert agent.model_dump(mode="json") == SAMPLE
    assert not agent.model_extra
    assert not agent.numbers[0].model_extra  # type: ignore[index]
    assert (
        agent.created_at
        == agent.numbers[0].purchased_at  # type: ignore[index]
        == datetime(2023, 11, 7, 5, 31, 56, tzinfo=timezone.utc)
    )


@pytest.mark.parametrize("name", sorted(set(SAMPLE) - {"id"}))
def test_no_field_but_the_id_is_taken_for_granted(name) -> None:
    left_out = Agent.model_validate_json(json.dumps({key: SAMPLE[key] for key in SAMPLE if key != name}))
    null = Agent.model_validate_json(json.dumps({**SAMPLE, name: None}))
    assert getattr(left_out, name) is getattr(null, name) is None


def test_an_id_is_enough_and_needed() -> None:
    assert Agent.model_validate_json('{"id": "agent"}').numbers is None
    assert Number.model_validate_json('{"id": "pn_xyz789"}').id == "pn_xyz789"
    for model in (Agent, Number):
        with pytest.raises(ValidationError, match="id"):
            model.model_validate_json("{}")


def test_no_numbers_is_not_the_same_as_not_told() -> None:
    assert Agent.model_validate_json('{"id": "a", "numbers": []}').numbers == []


def test_unknown_fields_and_literals_are_kept() -> None:
    agent = Agent.model_validate_json(
        '{"id": "a", "type": "hybrid", "new": 1, "numbers": [{"id": "n", "new": 2}]}'
    )
    dumped = agent.model_dump(mode="json")
    assert (dumped["type"], dumped["new"], dumped["numbers"][0]["new"]) == ("hybrid", 1, 2)


@pytest.mark.parametrize(
    ("fields", "tells"),
    [
        ({"inbound_agent_id": "a", "outbound_agent_ids": []}, True),
        ({"inbound_agent_id": None, "outbound_agent_ids": []}, True),
        ({"outbound_agent_ids": []}, False),
        ({"inbound_agent_id": "a"}, False),
        ({"inbound_agent_id": None, "outbound_agent_ids": None}, True),
        ({}, False),
    ],
)
def test_a_number_tells_its_links_only_if_both_were_sent(fields, tells) -> None:
    assert Number.model_validate_json(json.dumps({"id": "n", **fields})).tells_links is tells


def test_an_empty_agent_is_none_and_nothing_else_is() -> None:
    assert Number.model_validate_json('{"id": "n", "inbound_agent_id": ""}').inbound_agent_id is None
    for value in ("false", "0", "[]"):
        with pytest.raises(ValidationError, match="inbound_agent_id"):
            Number.model_validate_json(f'{{"id": "n", "inbound_agent_id": {value}}}')


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ('[{"id": "n"}]', None),
        ('{"data": [{"id": "n"}]}', None),
        ('{"data": [{"id": "n"}], "has_more": false}', False),
        ('{"data": [{"id": "n"}], "has_more": true}', True),
    ],
)
def test_a_list_of_numbers_may_be_bare_or_wrapped(body, more) -> None:
    listed = NumberList.model_validate_json(body)
    assert ([number.id for number in listed.data], listed.has_more) == (["n"], more)


@pytest.mark.parametrize("body", ["{}", '{"data": null}', '{"data": [{}]}', "null", '"x"', "[1]"])
@pytest.mark.parametrize("model", [NumberList, AgentList])
def test_what_is_no_list_is_refused(model, body) -> None:
    with pytest.raises(ValidationError):
        model.model_validate_json(body)


@settings(deadline=None)
@given(st.dictionaries(st.text(), ANY_JSON, max_size=5), st.sampled_from(sorted(SAMPLE)), ANY_JSON)
def test_whatever_is_accepted_fits_into_xcom(extras, name, value) -> None:
    try:
        agent = Agent.model_validate_json(json.dumps({**extras, **SAMPLE, name: value}))
    except ValidationError:
        return
    dumped = json.loads(json.dumps(agent.model_dump(mode="json"), allow_nan=False))
    assert set(extras) | set(SAMPLE) == set(dumped)


@pytest.mark.parametrize("cents", ["9" * 4000, "100.0", '"100"'])
def test_odd_costs_fit_into_xcom(cents) -> None:
    number = Number.model_validate_json(f'{{"id": "n", "monthly_cost_cents": {cents}}}')
    json.dumps(number.model_dump(mode="json"))
