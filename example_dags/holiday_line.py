"""
### Let another agent answer a CallingBox number

Moves a number to the agent that is to answer it, over the holidays for instance, and with other parameters back again.
CallingBox lets an inbound number have one agent at a time, so the number is detached first; the log says for how many
seconds nobody had it. If it cannot be attached, the agent before gets it back.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from airflow_provider_phonelink.operators.callingbox import CallingBoxAttachNumberOperator


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["phonelink", "callingbox"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
    params={
        "number_id": Param("pn_spare", type="string"),
        "agent_id": Param("agt_reception", type="string", description="Who answers it afterwards."),
    },
)
def holiday_line():
    # [START attach]
    CallingBoxAttachNumberOperator(
        task_id="attach",
        agent_id="{{ params.agent_id }}",
        number_id="{{ params.number_id }}",
        if_attached="move",
    )
    # [END attach]


holiday_line_dag = holiday_line()
