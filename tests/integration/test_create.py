"""Create: afterwards exactly one number with this (phone number, credentials) pair exists."""

from __future__ import annotations

import json

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import CREDENTIALS, OTHER_CREDENTIALS, state_of, writes

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.dasha import DashaCreatePhoneNumberOperator
from airflow_provider_phonelink.sandbox import Fault

NEW = "+15550111"
ANOTHER = "11111111-1111-4111-8111-111111111111"


def create(**arguments) -> DashaCreatePhoneNumberOperator:
    usual = {"phone_number": NEW, "credentials_id": CREDENTIALS}
    return DashaCreatePhoneNumberOperator(task_id="create", **{**usual, **arguments})


def with_pair(sandbox) -> list:
    return [
        n.settings
        for n in sandbox.world.dasha.numbers.values()
        if (n.settings.phone_number, n.settings.credentials_id) == (NEW, CREDENTIALS)
    ]


def test_creates_once_however_often_it_runs(sandbox, number, connections):
    before = state_of(sandbox)
    task = {"display_name": "New", "description": "of ours", "registration": True}
    first = run_task(create(**task), connections=connections)
    second = run_task(create(**task), connections=connections, try_number=2)

    assert (first.state, second.state) == ("success", "success"), second.log
    (made,) = with_pair(sandbox)
    assert (made.display_name, made.description, made.registration) == ("New", "of ours", True)
    assert writes(sandbox) == ["POST sip-phone-numbers"]
    assert before.items() <= state_of(sandbox).items()
    assert (first.value["adopted"], second.value["adopted"]) == (False, True)
    assert first.xcoms["id"] == second.xcoms["id"] == first.value["id"]
    assert first.value["registration_status"]["state"] == "Registering"


def test_leaves_to_the_vendor_what_it_does_not_name(sandbox, connections):
    outcome = run_task(create(), connections=connections)

    (made,) = with_pair(sandbox)
    assert (made.display_name, made.description, made.registration) == (None, None, False)
    assert outcome.value["registration"] is False


def test_the_pair_counts_and_not_the_phone_number(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, OTHER_CREDENTIALS)
    outcome = run_task(create(), connections=connections)

    assert outcome.value["adopted"] is False
    assert len(sandbox.world.dasha.numbers) == 2


def test_credentials_in_capitals_are_the_same(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS)
    outcome = run_task(create(credentials_id=CREDENTIALS.upper()), connections=connections)

    assert outcome.value["adopted"] is True
    assert not writes(sandbox)


def test_adopting_changes_nothing_and_warns_of_other_texts(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS, display_name="Old", description="keep")
    outcome = run_task(create(display_name="New"), connections=connections)

    assert outcome.state == "success"
    assert outcome.value["display_name"] == "Old"
    assert "WARNING" in outcome.log
    assert "if_exists='update'" in outcome.log
    assert not writes(sandbox)


@pytest.mark.parametrize("wished", [True, False])
def test_another_registration_is_an_error_that_says_how_to_change_it(sandbox, connections, wished):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS, registration=not wished)
    outcome = run_task(create(registration=wished, retries=3), connections=connections)

    assert outcome.state == "failed"
    assert isinstance(outcome.error, PhonelinkFailException)
    assert "if_exists='update'" in str(outcome.error)
    assert not writes(sandbox)


def test_update_keeps_what_the_task_does_not_name(sandbox, connections):
    sandbox.world.dasha.add_number(
        NEW, CREDENTIALS, display_name="Old", description="keep", registration=True, inbound="agent-x"
    )
    update = {"if_exists": "update", "display_name": "New"}
    first = run_task(create(**update), connections=connections)
    second = run_task(create(**update), connections=connections, try_number=2)

    (made,) = with_pair(sandbox)
    assert (made.display_name, made.description, made.registration) == ("New", "keep", True)
    assert [n.inbound_agent for n in sandbox.world.dasha.numbers.values()] == ["agent-x"]
    assert len(writes(sandbox)) == 1
    assert first.value["display_name"] == second.value["display_name"] == "New"


def test_update_switches_registration(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS, display_name="Old", registration=False)
    run_task(create(if_exists="update", registration="True"), connections=connections)

    assert [(n.display_name, n.registration) for n in with_pair(sandbox)] == [("Old", True)]


def test_fail_refuses_a_number_that_exists(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS)
    outcome = run_task(create(if_exists="fail", retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "already exists" in str(outcome.error)
    assert not writes(sandbox)


def test_templates(sandbox, connections):
    outcome = run_task(
        create(
            phone_number="{{ ti.xcom_pull('bought')['e164'] }}",
            credentials_id="{{ dag_run.conf.credentials }}",
            display_name="{{ params.name }} {{ ds }}",
            description="{{ var.value.team }}",
            registration="{{ params.on }}",
            dasha_conn_id="{{ params.conn }}",
            params={"name": "Night", "on": False, "conn": "dasha_default"},
        ),
        connections=connections,
        xcoms={"bought": {"e164": NEW}},
        variables={"team": "ops"},
        conf={"credentials": CREDENTIALS},
    )

    assert outcome.state == "success", outcome.log
    (made,) = with_pair(sandbox)
    assert made.display_name.startswith("Night 20")
    assert (made.description, made.registration) == ("ops", False)


LOST = Fault("drop", method="POST", when="before")


@pytest.mark.parametrize(
    ("if_exists", "state", "registration"), [("adopt", "failed", False), ("update", "success", True)]
)
def test_a_number_somebody_made_while_our_answer_was_lost_is_no_exception(
    sandbox, connections, if_exists, state, registration
):
    sandbox.faults.meanwhile(
        lambda world: world.dasha.add_number(NEW, CREDENTIALS, registration=False), method="POST"
    )
    sandbox.faults.add(LOST)
    outcome = run_task(create(registration=True, if_exists=if_exists), connections=connections)

    assert outcome.state == state
    assert [n.registration for n in with_pair(sandbox)] == [registration]


def test_an_update_that_did_not_take_is_an_error(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS, display_name="Old")
    sandbox.faults.add(Fault("ignored", method="PUT"))
    outcome = run_task(create(if_exists="update", display_name="New", retries=1), connections=connections)

    assert outcome.state == "up_for_retry"


def test_update_does_not_reset_what_the_vendor_did_not_tell(sandbox, connections):
    sandbox.world.dasha.add_number(NEW, CREDENTIALS, display_name="Old", registration=True)
    sandbox.faults.add(Fault("edit", method="GET", remove=("registration",), count=None))
    run_task(create(if_exists="update", display_name="New"), connections=connections)

    assert [n.registration for n in with_pair(sandbox)] == [True]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_somebody_was_faster(sandbox, connections, status):
    sandbox.set(dasha_duplicate_status=status)
    sandbox.faults.meanwhile(lambda world: world.dasha.add_number(NEW, CREDENTIALS), method="POST")
    outcome = run_task(create(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value["adopted"] is True
    assert len(with_pair(sandbox)) == 1


def test_a_refusal_that_is_no_duplicate_stays_a_refusal(sandbox, connections):
    sandbox.faults.add(Fault("status", method="POST", status=422, count=None))
    outcome = run_task(create(retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "422" in str(outcome.error)


def test_a_pair_that_exists_twice_is_an_error_that_names_both(sandbox, connections):
    first = sandbox.world.dasha.add_number(NEW, CREDENTIALS)
    pair = {"phoneNumber": NEW, "credentialsId": CREDENTIALS, "registrationStatus": {"state": "x"}}
    items = [{"id": id_, **pair} for id_ in (first, ANOTHER)]
    page = json.dumps({"items": items, "totalCount": 2, "skip": 0, "take": 1000})
    sandbox.faults.add(Fault("status", status=200, body=page, method="GET", count=None))
    outcome = run_task(create(retries=3), connections=connections)

    assert outcome.state == "failed"
    assert all(id_ in str(outcome.error) for id_ in (first, ANOTHER))
    assert not writes(sandbox)


WRITTEN = "+1 (555) 010-0003"
PLAIN = "+15550100003"


@pytest.mark.parametrize(("switch", "stored"), [("plus_digits", PLAIN), ("digits", PLAIN[1:])])
def test_a_vendor_that_stores_another_notation_has_one_number_however_often_it_runs(
    sandbox, connections, switch, stored
):
    sandbox.set(dasha_stored_notation=switch)
    first = run_task(create(phone_number=WRITTEN), connections=connections)
    second = run_task(create(phone_number=WRITTEN), connections=connections)

    assert (first.state, second.state) == ("success", "success"), second.log
    assert [n.settings.phone_number for n in sandbox.world.dasha.numbers.values()].count(stored) == 1
    assert (first.value["adopted"], second.value["adopted"]) == (False, True)
    assert first.value["id"] == second.value["id"]
    for outcome in (first, second):
        assert f"{WRITTEN} is stored by the vendor as {stored}" in outcome.log


def test_another_notation_of_a_number_that_exists_is_warned_of(sandbox, connections):
    other = sandbox.world.dasha.add_number(PLAIN, CREDENTIALS)
    outcome = run_task(create(phone_number=WRITTEN), connections=connections)

    assert outcome.state == "success"
    assert f"exists beside number {PLAIN} (id {other})" in outcome.log
    assert outcome.value["phone_number"] == WRITTEN


@pytest.mark.parametrize(
    ("there", "wanted"), [(PLAIN, WRITTEN), (WRITTEN, PLAIN), ("1 555 010 0003", "tel:+1-555-010-0003")]
)
def test_another_notation_may_be_refused(sandbox, connections, there, wanted):
    sandbox.world.dasha.add_number(there, CREDENTIALS)
    sandbox.world.dasha.add_number(there, OTHER_CREDENTIALS)
    outcome = run_task(create(phone_number=wanted, if_other_notation="fail"), connections=connections)

    assert outcome.state == "failed"
    assert isinstance(outcome.error, PhonelinkFailException)
    assert f"number {there}" in str(outcome.error)
    assert not writes(sandbox)


def test_the_same_notation_with_other_credentials_is_another_number(sandbox, connections):
    sandbox.world.dasha.add_number(PLAIN, OTHER_CREDENTIALS)
    outcome = run_task(create(phone_number=WRITTEN, if_other_notation="fail"), connections=connections)

    assert outcome.state == "success"


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0.5, 1.0, 1.5, 2.0))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("hides", ["both", "reads", "lists"])
def test_a_new_number_that_is_not_there_yet_is_waited_for(sandbox, connections, hides):
    sandbox.set(dasha_new_number_lag=1.2, dasha_lag_hides=hides)
    outcome = run_task(create(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert len(with_pair(sandbox)) == 1


@pytest.mark.usefixtures("patient")
def test_a_lost_answer_and_a_number_that_is_not_there_yet_make_one_number(sandbox, connections):
    sandbox.set(dasha_new_number_lag=1.5)
    sandbox.faults.add(Fault("drop", method="POST", when="after"))
    outcome = run_task(create(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert len(with_pair(sandbox)) == 1


@pytest.mark.usefixtures("patient")
def test_a_number_of_its_own_is_not_refused_as_existing(sandbox, connections):
    sandbox.set(dasha_new_number_lag=1.5, dasha_stored_notation="digits")
    sandbox.faults.add(Fault("drop", method="POST", when="after"))
    before = len(sandbox.world.dasha.numbers)
    outcome = run_task(create(if_exists="fail"), connections=connections)

    assert outcome.state == "success", outcome.log
    assert "created by an earlier try whose answer was lost" in outcome.log
    assert len(sandbox.world.dasha.numbers) == before + 1
