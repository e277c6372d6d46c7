"""
### Try an agent out on a spare number

Links a number to an agent, makes a test call, and takes the number away again, whatever came of the call: linking is
the setup of the call, and unlinking its teardown. The number is taken from this agent only, so that nobody loses it
who has got it meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
    params={
        "phone_number": Param("+15550100003", type="string", description="A number that nobody answers."),
        "agent_id": Param("agent-sales", type="string", description="The agent to try out."),
    },
)
def test_call():
    # [START hook]
    @task
    def find_number(params: dict) -> str:
        with DashaHook() as dasha:
            [number] = dasha.list_numbers(phone_number=params["phone_number"])
        return number.id

    # [END hook]

    @task(retries=0)
    def call(number_id: str) -> str:
        with DashaHook() as dasha:
            number = dasha.get_number(number_id)
        if number.registration_status.state not in ("Registered", "Active"):
            raise PhonelinkFailException(f"A call to {number.phone_number} does not get through.")
        # Here the call is made, and what was said is looked at.
        return f"{number.phone_number} is answered by {number.incoming_calls_agent_id}"

    # [START teardown]
    number_id = find_number()
    link = DashaLinkPhoneNumberOperator(
        task_id="link",
        phone_number_id=number_id,
        agent_id="{{ params.agent_id }}",
        if_linked="fail",
    )
    unlink = DashaUnlinkPhoneNumberOperator(
        task_id="unlink",
        phone_number_id=number_id,
        agent_id="{{ params.agent_id }}",
    )
    link.as_setup() >> call(number_id) >> unlink.as_teardown(setups=link)
    # [END teardown]


test_call_dag = test_call()
