"""How a task's result gets into XCom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import BaseOperator, Context


def delivered(operator: BaseOperator, context: Context, result: dict[str, Any]) -> dict[str, Any]:
    """
    Return a task's result, having seen to it that Airflow can store it.

    With ``multiple_outputs`` Airflow stores each entry under its own key, too. Airflow 3.0 fails on an entry
    that is None, so there the entries are stored here, without those; the result itself keeps them.
    """
    if operator.multiple_outputs and not AIRFLOW_V_3_1_PLUS:
        operator.multiple_outputs = False
        push(context, {key: value for key, value in result.items() if value is not None})
    return result


def push(context: Context, entries: Mapping[str, Any]) -> None:
    """Store entries for other tasks. There are none where an operator is executed by hand, as a unit test does."""
    if ti := context.get("ti"):
        for key, value in entries.items():
            ti.xcom_push(key, value)
