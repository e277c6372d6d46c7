"""Native rendering: what it makes of a phone number or an id is refused with the reason, and quoting it helps."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, CREDENTIALS

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import CallingBoxAttachNumberOperator
from airflow_provider_phonelink.operators.dasha import DashaCreatePhoneNumberOperator

NUMBER = "+15550100001"


def natively(task, connections, **params):
    DAG("native", schedule=None, render_template_as_native_obj=True, params=params).add_task(task)
    return run_task(task, connections=connections)


def create(phone_number):
    return DashaCreatePhoneNumberOperator(task_id="t", phone_number=phone_number, credentials_id=CREDENTIALS)


@pytest.mark.parametrize(
    ("task", "argument"),
    [
        (create("{{ params.n }}"), "phone_number: 15550100001 is int"),
        (
            CallingBoxAttachNumberOperator(task_id="t", agent_id="{{ params.n }}", number_id="pn_1"),
            "agent_id: 15550100001 is int",
        ),
        (
            CallingBoxAttachNumberOperator(task_id="t", agent_id=AGENT, number_id="{{ params.n }}"),
            "number_id: 15550100001 is int",
        ),
    ],
)
def test_says_what_made_a_number_of_it_and_what_to_do(sandbox, connections, task, argument):
    outcome = natively(task, connections, n=NUMBER)
    assert isinstance(outcome.error, PhonelinkFailException), outcome.log
    told = str(outcome.error)
    assert argument in told
    assert "render_template_as_native_obj=True" in told
    assert "'{{ params.number }}'" in told
    assert len(sandbox.journal) == 0


def test_what_the_message_advises_helps(sandbox, connections):
    outcome = natively(create("'{{ params.n }}'"), connections, n=NUMBER)
    assert outcome.state == "success", outcome.log
    assert [n.settings.phone_number for n in sandbox.world.dasha.numbers.values()] == [NUMBER]
