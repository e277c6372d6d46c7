"""
### Onboard the numbers of a CSV file

`numbers.csv`, beside this file, has 200 phone numbers and the agents that are to answer them. Those that are not
there yet are created, many at once; one sensor waits until the SIP provider has registered them all; then each is
linked to its agent, with the same file as the routes. Three tasks instead of 600.

Any task may be retried or cleared: what is done already is not done twice.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.files.columns import Columns
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

FOLDER = Path(__file__).parent
COLUMNS = Columns("number", required=(("phone_number",), ("agent_id",)))


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
    @task
    def create_missing(params: dict) -> list[str]:
        """Create the numbers that are not there, and return the ids of all."""
        rows = read_rows(params["file"], COLUMNS, argument="file", folder=FOLDER, beginning="")
        wanted = list(dict.fromkeys(rows.each(lambda row: row["phone_number"])))  # each once

        # [START create_many]
        async def create() -> list[str]:
            async with DashaHook() as dasha:
                ids = {
                    number.phone_number: number.id
                    for number in await dasha.alist_numbers()
                    if number.credentials_id == params["credentials_id"]
                }
                missing = [
                    {
                        "phone_number": number,
                        "credentials_id": params["credentials_id"],
                        "registration": True,
                    }
                    for number in wanted
                    if number not in ids
                ]
                for result in await dasha.acreate_many(missing):
                    if result.error:
                        raise result.error
                    ids[result.answer.phone_number] = result.answer.id
                return [ids[number] for number in wanted]

        # [END create_many]

        return asyncio.run(create())

    # [START onboard_all]
    registered = DashaRegistrationSensor(
        task_id="wait_until_registered",
        phone_number_ids=create_missing(),
        deferrable=True,
        poke_interval=5,
        timeout=1800,
    )
    link = DashaReconcileLinksOperator(task_id="link", routes="{{ params.file }}")
    registered >> link
    # [END onboard_all]


onboarding_from_csv()
