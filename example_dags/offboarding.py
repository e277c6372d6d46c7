"""
### Take phone numbers out of service

Deletes the numbers that are to go at Dasha, whoever uses them; unlinks others, which stay, inbound and outbound; and
detaches numbers at CallingBox, which stay bought and billed. What is gone already, and a number that the agent no
longer has, is left alone, so the run can be repeated.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.operators.callingbox import CallingBoxDetachNumberOperator
from airflow_provider_phonelink.operators.dasha import (
    DashaDeletePhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaUnlinkPhoneNumberOperator,
)


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["phonelink", "dasha", "callingbox"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "retire": Param(
            ["+15550100001"],
            type="array",
            minItems=1,
            items={"type": "string"},
            description="The Dasha numbers to delete, by phone number or id.",
        ),
        "links": Param(
            [{"phone_number": "+15550100002", "agent_id": "agent-campaign"}],
            type="array",
            items={"type": "object", "required": ["phone_number", "agent_id"]},
            description="The Dasha numbers to unlink, and the agents to take them from.",
        ),
        "attachments": Param(
            [{"number_id": "pn_reception", "agent_id": "agt_reception"}],
            type="array",
            items={"type": "object", "required": ["number_id", "agent_id"]},
            description="The CallingBox numbers to detach, and the agents to take them from.",
        ),
    },
)
def offboarding():
    # [START delete]
    DashaDeletePhoneNumberOperator(
        task_id="delete",
        phone_number_ids="{{ params.retire }}",
        if_linked="unlink",
    )
    # [END delete]
    numbers = DashaListPhoneNumbersOperator(task_id="list_numbers")

    @task
    def numbers_to_unlink(numbers: list[dict], params: dict) -> list[dict]:
        agents = {link["phone_number"]: link["agent_id"] for link in params["links"]}
        return [
            {"phone_number_id": number["id"], "agent_id": agents[number["phone_number"]]}
            for number in numbers
            if number["phone_number"] in agents
        ]

    @task
    def numbers_to_detach(params: dict) -> list[dict]:
        return params["attachments"]

    to_unlink = numbers_to_unlink(numbers.output)
    # [START unlink]
    DashaUnlinkPhoneNumberOperator.partial(task_id="unlink_inbound").expand_kwargs(to_unlink)
    DashaUnlinkPhoneNumberOperator.partial(task_id="unlink_outbound", mode="replaceOutbound").expand_kwargs(
        to_unlink
    )
    # [END unlink]
    # [START detach]
    CallingBoxDetachNumberOperator.partial(task_id="detach").expand_kwargs(numbers_to_detach())
    # [END detach]


offboarding_dag = offboarding()
