"""
### Onboard the numbers of a CSV file

`numbers.csv`, beside this file, has 200 phone numbers and the agents that are to answer them, as people export such
files: with a byte order mark, a number that is there twice, and one that a spreadsheet has spoilt. One task creates
those that are not there yet, waits until the SIP provider has registered them, and links each to its agent. What fails
for one does not stop the others; the next task tells people which came no further, and why.

The tasks may be retried or cleared: what is done already is not done twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.operators.dasha import DashaOnboardPhoneNumbersOperator


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "file": Param("numbers.csv", type="string", description="Begins at this file's folder."),
        "credentials_id": Param("d51449dd-cc9d-55e6-914e-8a6f102e0c3f", type="string", format="uuid"),
    },
)
def onboarding_from_csv():
    # [START onboard]
    onboard = DashaOnboardPhoneNumbersOperator(
        task_id="onboard",
        numbers="{{ params.file }}",
        credentials_id="{{ params.credentials_id }}",
        on_failed="report",
        timeout=1800,
        poll_interval=2,
        deferrable=True,
    )
    # [END onboard]

    # [START tell]
    @task
    def tell_people(result: dict) -> list[str]:
        """Say which numbers came no further; return it instead of sending it, so that the example needs no account."""
        return [
            f"{row['phone_number']} ({row['step'] or 'nothing done'}): {row['reason']}"
            for row in result["rows"]
            if row["reason"]
        ]

    # [END tell]

    tell_people(onboard.output)


onboarding_from_csv_dag = onboarding_from_csv()
