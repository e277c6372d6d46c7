"""
### Registration lost: give the agent a spare number, and put its own one back

For an agent that has one number, and others only in its place. The task takes the first healthy number in the pool's
order, so that it replaces a number whose registration is lost, and puts it back once that has recovered. An event only
wakes the DAG. The task looks at the registrations itself, so an event that is late or one of many does no harm. Airflow
drops the events of a paused DAG, so the clock wakes it, too.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, AssetWatcher, dag
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger

AGENT = "agent-campaign"

# [START watcher]
POOL = {"display_name_prefix": "Campaign"}
registrations = Asset(
    "campaign_registrations",
    watchers=[
        AssetWatcher(name="campaign_pool", trigger=DashaRegistrationEventTrigger(pool=POOL, poll_interval=10))
    ],
)
# [END watcher]


@dag(
    # [START schedule]
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"), assets=[registrations]
    ),
    # [END schedule]
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
)
def registration_lost():
    # [START failover]
    DashaRotatePhoneNumberOperator(
        task_id="link_the_first_healthy_number",
        agent_id=AGENT,
        pool=["+15550100002", "+15550100003", "+15550100004"],  # its own number first
        strategy="priority",
    )
    # [END failover]


registration_lost_dag = registration_lost()
