"""Create a number, wait for its registration, let an agent answer its calls."""

from __future__ import annotations

from airflow.sdk import dag
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor


@dag(schedule=None, default_args={"retries": 3})
def support_line():
    create = DashaCreatePhoneNumberOperator(
        task_id="create",
        phone_number="+15550100099",
        credentials_id="d51449dd-cc9d-55e6-914e-8a6f102e0c3f",
        registration=True,
    )
    registered = DashaRegistrationSensor(
        task_id="registered",
        phone_number_ids=create.output["id"],
        deferrable=True,
        poke_interval=5,
        timeout=600,
    )
    link = DashaLinkPhoneNumberOperator(
        task_id="link", phone_number_id=create.output["id"], agent_id="agent-support"
    )
    registered >> link


support_line_dag = support_line()
