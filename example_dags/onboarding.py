"""
### Onboard phone numbers

For each number: create it, wait until its SIP registration is active, let an agent answer its calls, and make
it that agent's caller ID. Any task may be retried or cleared: what is done already is not done twice.

Trigger with a list of numbers, for instance

    {"credentials_id": "d51449dd-cc9d-55e6-914e-8a6f102e0c3f",
     "numbers": [{"phone_number": "+15550100011", "agent_id": "agent-support"}]}
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task, task_group

from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "credentials_id": Param("d51449dd-cc9d-55e6-914e-8a6f102e0c3f", type="string", format="uuid"),
        "numbers": Param(
            [
                {"phone_number": "+15550100011", "agent_id": "agent-support"},
                {"phone_number": "+15550100012", "agent_id": "agent-sales"},
            ],
            type="array",
            items={"type": "object", "required": ["phone_number", "agent_id"]},
        ),
    },
)
def onboarding():
    @task
    def wanted_numbers(params: dict) -> list[dict]:
        return params["numbers"]

    @task_group
    def onboard(phone_number: str, agent_id: str):
        # [START create]
        create = DashaCreatePhoneNumberOperator(
            task_id="create",
            phone_number=phone_number,
            credentials_id="{{ params.credentials_id }}",
            registration=True,
        )
        # [END create]
        # [START wait]
        wait = DashaRegistrationSensor(
            task_id="wait_until_registered",
            phone_number_ids=create.output["id"],
            deferrable=True,
            poke_interval=2,
            timeout=600,
        )
        # [END wait]
        # [START link]
        link_inbound = DashaLinkPhoneNumberOperator(
            task_id="link_inbound",
            phone_number_id=create.output["id"],
            agent_id=agent_id,
            if_linked="fail",
        )
        # [END link]
        # [START link_outbound]
        set_outbound = DashaLinkPhoneNumberOperator(
            task_id="set_outbound",
            phone_number_id=create.output["id"],
            agent_id=agent_id,
            mode="replaceOutbound",
        )
        # [END link_outbound]
        wait >> [link_inbound, set_outbound]

    onboard.expand_kwargs(wanted_numbers())


onboarding_dag = onboarding()
