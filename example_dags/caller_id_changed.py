"""
### Say so when the campaign's caller ID changes

Runs whenever a task of any DAG, a rotation for example, gives the agent another outbound number.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from airflow_provider_phonelink.assets import agent_asset

# [START asset]
caller_id = agent_asset("agent-campaign", "outbound")


@dag(
    schedule=[caller_id],
    catchup=False,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
)
def caller_id_changed():
    @task
    def announce(triggering_asset_events=None) -> list[str]:
        messages = [
            f"{event.extra['agent_id'] or 'Nobody'} now calls with {event.extra['phone_number']}."
            for event in triggering_asset_events.get(caller_id, [])
        ]
        print("\n".join(messages))  # or tell the people who recognise calls by their number
        return messages

    announce()


caller_id_changed_dag = caller_id_changed()
# [END asset]
