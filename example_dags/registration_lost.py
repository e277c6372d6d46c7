"""
### Registration lost: take the number out of the pool and give the agent a spare

Wakes up when a number of the campaign's pool loses its registration, fails or recovers. A number that is lost goes into
quarantine, where the nightly rotation does not pick it either, and comes out again when it has recovered. If it was the
agent's caller ID, the agent gets the next healthy number of the pool.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, AssetWatcher, Variable, dag, task

from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger

AGENT = "agent-campaign"
POOL = {"display_name_prefix": "Campaign"}
QUARANTINE = "campaign_quarantine"  # an Airflow variable

# [START watcher]
registrations = Asset(
    "campaign_registrations",
    watchers=[
        AssetWatcher(name="campaign_pool", trigger=DashaRegistrationEventTrigger(pool=POOL, poll_interval=10))
    ],
)
# [END watcher]


@dag(
    schedule=[registrations],
    max_active_runs=1,  # one at a time may write the quarantine
    catchup=False,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
)
def registration_lost():
    # [START events]
    @task
    def note_changes(triggering_asset_events=None) -> list[str]:
        latest = {}
        for event in triggering_asset_events.get(registrations, []):
            change = event.extra["payload"]
            latest[change["phone_number_id"]] = change["transition"]
            print(f"{change['transition']}: {change['message']}")
        lost = {number for number, transition in latest.items() if transition != "recovered"}
        before = set(Variable.get(QUARANTINE, default=[], deserialize_json=True))
        quarantine = sorted((before - latest.keys()) | lost)
        Variable.set(QUARANTINE, quarantine, serialize_json=True)
        return quarantine

    # [END events]

    @task.short_circuit
    def is_the_caller_id_lost(quarantine: list[str]) -> bool:
        with DashaHook() as dasha:
            healthy = [
                number.id
                for number in dasha.iter_numbers()
                if (number.display_name or "").startswith(POOL["display_name_prefix"])
                and number.id not in quarantine
            ]
            return not any(AGENT in dasha.affected_agents(number).outbound for number in healthy)

    quarantine = note_changes()
    link_a_spare = DashaRotatePhoneNumberOperator(
        task_id="link_a_spare",
        agent_id=AGENT,
        pool=POOL,
        quarantine=quarantine,
    )
    is_the_caller_id_lost(quarantine) >> link_a_spare


registration_lost()
