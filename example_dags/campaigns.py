"""
### Many campaigns: another caller ID each day, in each campaign's calling window

Runs every hour. A table says which agent calls with which pool of numbers, and when: the calling window in its own time
zone, never on Sundays and holidays. The first run in a window gives the agent another number, and later ones keep it.
Numbers rest for two days after use, and those with a bad reputation are held back, with the reason in log and result.
Each campaign that fails has a message of its own in Slack; the others go on.
"""

from __future__ import annotations

import csv
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import Connection, Variable, dag, task

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator

CAMPAIGNS = Path(__file__).with_name("campaigns.csv")  # or a query
HOLIDAYS = {
    "US": {"2026-01-01", "2026-07-03", "2026-11-26", "2026-12-25"},
    "CH": {"2026-01-01", "2026-08-01", "2026-12-25", "2026-12-26"},
}


# [START slack]
def tell_slack(context) -> None:
    """Send one message for a campaign that failed; the connection's password is the secret part of the webhook."""
    import httpx

    slack = Connection.get("slack_campaigns")
    agent = context["task"].agent_id
    reason = context.get("exception", "see the log of the task")  # which `dag.test()` may not give
    text = f"{agent} keeps its caller ID, because the rotation failed: {reason}"
    httpx.post(f"{slack.host}/{slack.password}", json={"text": text}, timeout=10).raise_for_status()


# [END slack]


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # two runs at once would rotate past each other
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
)
def campaigns():
    # [START window]
    @task
    def campaigns_to_call(dag_run=None) -> list[dict]:
        # A warehouse's view of the numbers, such as {"+15550100002": "answer rate 4 %"}.
        reputation = Variable.get("number_reputation", default={}, deserialize_json=True)
        found = []
        with CAMPAIGNS.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                at = dag_run.logical_date or dag_run.run_after  # a run by hand may have no logical date
                now = at.astimezone(ZoneInfo(row["time_zone"]))
                is_open = int(row["opens"]) <= now.hour < int(row["closes"]) and now.isoweekday() < 7
                if is_open and now.date().isoformat() not in HOLIDAYS[row["holidays"]]:
                    pool = {"display_name_prefix": row["pool"]}
                    found.append({"agent_id": row["agent_id"], "pool": pool, "quarantine": reputation})
        return found

    # [END window]

    # [START rotate]
    DashaRotatePhoneNumberOperator.partial(
        task_id="rotate",
        max_in_use=timedelta(hours=16),  # once in a window, whichever of its runs comes first
        cool_down=timedelta(days=2),
        retries=2,
        retry_delay=timedelta(seconds=1),
        on_failure_callback=tell_slack,
    ).expand_kwargs(campaigns_to_call())
    # [END rotate]


campaigns_dag = campaigns()
