"""What the operators for many numbers give back: a row for each number, in XCom and in a report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.exceptions import airflow_exception, as_airflow_exceptions
from airflow_provider_phonelink.operators.results import delivered, leave

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import BaseOperator, Context

    from airflow_provider_phonelink.decisions.rows import NumberRow
    from airflow_provider_phonelink.files.destinations import Destination

OnFailed: TypeAlias = Literal["fail", "report"]
#: Of more numbers than this, only those that came no further are in XCom, and of these only as many.
MOST_ROWS = 300


def destination_of(
    operator: BaseOperator, report: Any, begins: str | None, source: object = None
) -> Destination | None:
    """
    Return the place of a report, checked before anything is sent; None if no report is wanted.

    :param begins: What :func:`~airflow_provider_phonelink.files.sources.as_written` returned for it.
    :param source: What the rows are read from, which no report replaces.
    """
    from airflow_provider_phonelink.files.destinations import Destination

    if report is None:
        return None
    folder = operator.dag.folder if operator.has_dag() else None
    return Destination(report, argument="report", folder=folder, beginning=begins, source=source)


def result_of(rows: Sequence[NumberRow], report: Destination | None) -> dict[str, Any]:
    """Return the result: counts, the rows, and where the report is."""
    failed = [row for row in rows if row.reason is not None]
    shown = rows if len(rows) <= MOST_ROWS else failed[:MOST_ROWS]
    return {
        "numbers": len(rows),
        "done": len(rows) - len(failed),
        "failed": len(failed),
        "steps": dict(Counter(row.step for row in rows if row.step)),
        "rows": [row.as_json() for row in shown],
        "report": report.location if report else None,
    }


def finish(
    operator: BaseOperator,
    context: Context,
    rows: Sequence[NumberRow],
    report: Destination | None,
    summary: str,
    *,
    fails: bool,
    retry_helps: bool,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Write the report, and return the result; or leave it to others and fail.

    :param fails: Whether the task fails although it has done what it could.
    :param more: What else is in the result.
    """
    from airflow_provider_phonelink.decisions.rows import ROW_COLUMNS
    from airflow_provider_phonelink.promises.outcomes import storable

    result = storable({**result_of(rows, report), **(more or {})})
    if report is not None:
        with as_airflow_exceptions():
            report.write([row.as_json() for row in rows], ROW_COLUMNS)
        operator.log.info("The report is in %s.", report.location)
    if fails:
        leave(operator, context, result)
        raise airflow_exception(summary, retry_helps=retry_helps)
    (operator.log.warning if result["failed"] else operator.log.info)("%s", summary)
    return delivered(operator, context, result)
