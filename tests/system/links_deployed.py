"""A DAG of rotations, moves and reconciliations, each with numbers and agents of its own and a moment to die at."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxReconcileLinksOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
)

#: At which request the process of each task dies, and whether that has taken effect by then.
BEFORE, AFTER = "before", "after"
ROTATIONS = (("PUT", BEFORE), ("PUT", AFTER), ("proof", BEFORE))
RECONCILIATIONS = (("PUT", BEFORE), ("PUT", AFTER), ("DELETE", BEFORE), ("DELETE", AFTER))
MOVES = tuple((method, when) for method in ("DELETE", "POST", "PUT") for when in (BEFORE, AFTER))
BOX_RECONCILIATIONS = (("DELETE", AFTER), ("POST", AFTER), ("PUT", BEFORE))

with DAG(
    "links",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
):
    for i in range(len(ROTATIONS)):
        DashaRotatePhoneNumberOperator(
            task_id=f"rotate_{i}", agent_id=f"caller-{i}", pool={"display_name_prefix": f"pool {i} "}
        )
    for i in range(len(RECONCILIATIONS)):
        DashaReconcileLinksOperator(
            task_id=f"reconcile_{i}",
            routes=[{"number": f"+1555041{i}", "agent_id": f"new-{i}"}],
            prune=True,
            scope={"agents": [f"old-{i}"], "modes": ["inbound"]},
        )
    for i in range(len(MOVES)):
        CallingBoxAttachNumberOperator(
            task_id=f"move_{i}", agent_id=f"new-{i}", number_id=f"moved-{i}", if_attached="move"
        )
    for i in range(len(BOX_RECONCILIATIONS)):
        CallingBoxReconcileLinksOperator(
            task_id=f"reconcile_box_{i}",
            routes=[{"number": f"routed-{i}", "agent_id": f"next-{i}"}],
            prune=True,
            scope={"agents": [f"last-{i}"], "pool": [f"routed-{i}", f"pruned-{i}"]},
        )
