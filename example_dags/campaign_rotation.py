"""
### Give a campaign another caller ID every day

Lists the numbers, picks the registered one of the pool whose turn it is on this run's date, and makes it the
agent's one outbound number. A run that is retried or cleared picks the same number again.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
)


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "agent_id": Param("agent-campaign", type="string"),
        "pool_name": Param(
            "Campaign", type="string", description="Numbers whose display name starts with this."
        ),
    },
)
def campaign_rotation():
    # [START rotate_by_hand]
    numbers = DashaListPhoneNumbersOperator(task_id="list_numbers")

    @task
    def pick_number_of_the_day(numbers: list[dict], params: dict, dag_run=None) -> str:
        pool = sorted(
            number["id"]
            for number in numbers
            if (number["display_name"] or "").startswith(params["pool_name"])
            and number["registration_status"]["state"] in ("Registered", "Active")
        )
        if not pool:
            raise ValueError(
                f"No registered number has a display name starting with {params['pool_name']!r}."
            )
        day = dag_run.logical_date or dag_run.run_after  # a run by hand may have no logical date
        return pool[day.toordinal() % len(pool)]

    DashaLinkPhoneNumberOperator(
        task_id="set_caller_id",
        phone_number_id=pick_number_of_the_day(numbers.output),
        agent_id="{{ params.agent_id }}",
        mode="replaceOutbound",
    )
    # [END rotate_by_hand]


campaign_rotation_dag = campaign_rotation()
