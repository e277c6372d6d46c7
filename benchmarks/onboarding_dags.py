"""Onboard the same count of new numbers in one task, and in a task for each step of each number."""

from __future__ import annotations

import os

from airflow.sdk import XComArg, dag

from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaOnboardPhoneNumbersOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

COUNT = int(os.environ["BENCH_NUMBERS"])
CREDENTIALS = os.environ["BENCH_CREDENTIALS"]
AGENT = "agent-support"
SECONDS = 2


def numbers(area: int) -> list[str]:
    """Return new phone numbers."""
    return [f"+1555{area}{n:05}" for n in range(COUNT)]


@dag(schedule=None)
def one_task():
    """Onboard in one task."""
    DashaOnboardPhoneNumbersOperator(
        task_id="onboard",
        numbers=[{"phone_number": number, "inbound_agent_id": AGENT} for number in numbers(10)],
        credentials_id=CREDENTIALS,
        poll_interval=SECONDS,
        deferrable=True,
    )


@dag(schedule=None)
def mapped():
    """Create and link each number in tasks of its own."""
    created = DashaCreatePhoneNumberOperator.partial(
        task_id="create", credentials_id=CREDENTIALS, registration=True
    ).expand(phone_number=numbers(20))
    ids = created.output.map(lambda number: number["id"])
    active = DashaRegistrationSensor(
        task_id="wait",
        phone_number_ids=XComArg(created, "id"),  # type: ignore[arg-type]
        poke_interval=SECONDS,
        deferrable=True,
    )
    linked = DashaLinkPhoneNumberOperator.partial(task_id="link", agent_id=AGENT).expand(phone_number_id=ids)
    active >> linked


one_task_dag, mapped_dag = one_task(), mapped()
