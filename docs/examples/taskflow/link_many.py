"""Link many numbers at once, in an asynchronous task: for Airflow 3.2 and newer."""

from __future__ import annotations

from airflow.sdk import dag, task
from airflow_provider_phonelink.hooks.dasha import DashaHook


@dag(schedule=None, params={"agent_id": "agent-night"})
def link_many():
    # [START async]
    @task
    async def night_shift(params: dict) -> dict[str, int]:
        async with DashaHook() as dasha:
            unanswered = await dasha.alist_numbers(unlinked_only=True)
            results = await dasha.alink_many(
                [{"number_id": number.id, "agent_id": params["agent_id"]} for number in unanswered]
            )
        failed = [result for result in results if result.error]
        if failed:
            raise failed[0].error
        return {"linked": len(results)}

    # [END async]
    night_shift()


link_many_dag = link_many()
