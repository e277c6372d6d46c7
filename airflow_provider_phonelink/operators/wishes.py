"""
What a reconcile task wishes, left for the page of phone numbers, which shows where the links differ from it.

In an Airflow Variable, one for each task: each run replaces what the last one left, however many routes there are.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow.sdk import BaseOperator, Context

    from airflow_provider_phonelink.decisions.links import Link

#: How the keys of the Variables begin.
WISHES_KEY = "phonelink_wishes"
#: The most links that a task leaves. Where there are more, the page knows of no wish.
MOST_WISHES = 10_000


def leave_wishes(
    operator: BaseOperator, context: Context, vendor: str, conn_id: str, links: Collection[Link]
) -> None:
    """Leave the links that a task wishes. The task goes on if they cannot be left, with a warning in its log."""
    ti = context.get("ti")
    if ti is None or len(links) > MOST_WISHES:
        return
    from airflow.sdk import Variable

    value = {
        "vendor": vendor,
        "conn_id": conn_id,
        "dag_id": ti.dag_id,
        "task_id": ti.task_id,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "links": sorted(links),
    }
    digest = sha256(json.dumps([ti.dag_id, ti.task_id, ti.map_index]).encode()).hexdigest()[:32]
    try:
        Variable.set(
            f"{WISHES_KEY}__{digest}",
            json.dumps(value),
            description=f"What the routes of {ti.dag_id}, {ti.task_id} wish, for the page of phone numbers",
        )
    except Exception as error:
        operator.log.warning("The page of phone numbers does not learn of these routes: %s", error)
