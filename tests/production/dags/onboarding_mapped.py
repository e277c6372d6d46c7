"""Onboard hundreds of numbers: a task to create and a task to link each, and one wait for all of them."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task

from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor


@dag(
    schedule=None,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5)},
    params={"credentials_id": "", "agents": {}},  # phone number to agent
)
def onboarding_mapped():
    @task
    def wanted(params: dict) -> list[dict]:
        return [{"phone_number": number} for number in params["agents"]]

    @task
    def links(created: list[dict], params: dict) -> list[dict]:
        return [
            {"phone_number_id": number["id"], "agent_id": params["agents"][number["phone_number"]]}
            for number in created
        ]

    create = DashaCreatePhoneNumberOperator.partial(
        task_id="create", credentials_id="{{ params.credentials_id }}", registration=True
    ).expand_kwargs(wanted())  # type: ignore[call-arg]
    registered = DashaRegistrationSensor(
        task_id="wait_until_registered",
        phone_number_ids=create.output.map(lambda number: number["id"]),  # type: ignore[arg-type]
        deferrable=True,
        poke_interval=2,
        timeout=1200,
    )
    link = DashaLinkPhoneNumberOperator.partial(task_id="link", if_linked="fail").expand_kwargs(
        links(create.output)  # type: ignore[arg-type, call-arg]
    )
    registered >> link


onboarding_mapped()
