"""How a task's result gets into XCom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow import __version__ as airflow_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import BaseOperator, Context


def delivered(operator: BaseOperator, context: Context, result: dict[str, Any]) -> dict[str, Any]:
    """
    Return a task's result, and make sure that Airflow can store it.

    With ``multiple_outputs`` Airflow also stores each entry under a key of its own. Airflow 3.0 fails on an entry that
    is None, so on 3.0 the other entries are stored here; the result itself keeps all of them.
    """
    if operator.multiple_outputs and airflow_version.startswith("3.0."):
        operator.multiple_outputs = False
        push(context, {key: value for key, value in result.items() if value is not None})
    return result


def push(context: Context, entries: Mapping[str, Any]) -> None:
    """Store entries for other tasks; do nothing if the operator is executed by hand, as in a unit test."""
    if ti := context.get("ti"):
        for key, value in entries.items():
            ti.xcom_push(key, value)
