"""Onboard hundreds of numbers in one task."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from airflow_provider_phonelink.operators.dasha import DashaOnboardPhoneNumbersOperator


@dag(
    schedule=None,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5)},
    params={"credentials_id": "", "numbers": [], "on_failed": "report"},
)
def onboarding_many():
    DashaOnboardPhoneNumbersOperator(
        task_id="onboard",
        numbers="{{ params.numbers }}",
        credentials_id="{{ params.credentials_id }}",
        if_linked="fail",
        on_failed="{{ params.on_failed }}",  # type: ignore[arg-type]
        poll_interval=2,
        timeout=1200,
        deferrable=True,
    )


onboarding_many()
