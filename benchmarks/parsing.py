"""Parsing a DAG file with many tasks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.measure import Row, alternate, compared, median, milliseconds
from benchmarks.numbers import number_id

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measure import Bench, Sample

TASKS = 500
HOW = f"""
A DAG file that makes {TASKS} tasks in a loop, the same file but for the operator and its arguments: link (number,
agent), `HttpOperator` (endpoint, method), `EmptyOperator` (none). It is compiled and executed in a fresh process that
has already imported `DAG` and `BaseOperator` from `airflow.sdk`, as a DAG processor has when it forks; that execution,
with the import of the operator's module in it, is the figure. The whole process, from its start to its end, is given
beside it, and so is the execution without the import: the file parsed a second time in the same process. Median of the
processes, which alternate."""
WHY = """
*Parse*: what is left is Airflow's: it takes note of every attribute that an operator sets, and merges default arguments
for each of its parameters. `EmptyOperator` has none."""

FILES = {
    "ours": (
        "airflow_provider_phonelink.operators.dasha",
        "DashaLinkPhoneNumberOperator",
        f'phone_number_id="{number_id(1)}", agent_id=f"agent-{{index}}"',
    ),
    "peer": (
        "airflow.providers.http.operators.http",
        "HttpOperator",
        'endpoint=f"numbers/{index}/agent-link", method="PUT"',
    ),
    "empty": ("airflow.providers.standard.operators.empty", "EmptyOperator", ""),
}
TEMPLATE = """
from datetime import datetime, timezone
from airflow.sdk import DAG
from {module} import {operator}

with DAG("parsed", schedule=None, start_date=datetime(2025, 1, 1, tzinfo=timezone.utc)):
    for index in range({tasks}):
        {operator}(task_id=f"task_{{index}}", {arguments})
"""


def run(bench: Bench) -> list[Row]:
    """Parse the three files in turn."""
    files = {name: _write(bench.home / f"{name}_dag.py", *parts) for name, parts in FILES.items()}

    def parsing(file: Path) -> Sample:
        start = time.perf_counter()
        sample: Sample = bench.call("parsing:time_parse", file=str(file))
        return {**sample, "process": time.perf_counter() - start}

    samples = alternate(
        {name: lambda file=file: parsing(file) for name, file in files.items()},  # type: ignore[misc]
        bench.pick(11, 3),
    )
    rows = []
    for key, case in (("wall", "parse 500 tasks"), ("cpu", "the same, CPU time")):
        figures = {name: median(found, key) for name, found in samples.items()}
        empty = figures.pop("empty")
        rows.append(compared(case, figures, "peer", "<= 0.4", milliseconds))
        figures = {"ours": figures["ours"], "peer": empty}
        rows.append(_against_empty(compared(case, figures, "peer", "<= 1.25", milliseconds)))
    for key, case in (("again", "the same, second parse"), ("process", "the same, whole process")):
        figures = {name: median(found, key) for name, found in samples.items()}
        rows.append(
            Row(
                case,
                milliseconds(figures["ours"]),
                f"{milliseconds(figures['peer'])}; EmptyOperator {milliseconds(figures['empty'])}",
                ratio=f"{figures['ours'] / figures['peer']:.3g} (peer)",
            )
        )
    return rows


def _against_empty(row: Row) -> Row:
    return Row(
        row.case,
        row.ours,
        f"EmptyOperator {row.peer}",
        ratio=row.ratio.replace("peer", "EmptyOperator"),
        target=row.target.replace("peer", "EmptyOperator"),
        met=row.met,
    )


def _write(file: Path, module: str, operator: str, arguments: str) -> Path:
    file.write_text(TEMPLATE.format(module=module, operator=operator, arguments=arguments, tasks=TASKS))
    return file


def time_parse(file: str) -> Sample:
    """Execute a DAG file, after what a DAG processor has imported."""
    from pathlib import Path

    from airflow.sdk import DAG, BaseOperator  # noqa: F401

    text = Path(file).read_text()
    wall, cpu = time.perf_counter(), time.process_time()
    exec(compile(text, file, "exec"), {"__name__": "first"})  # noqa: S102
    middle = time.perf_counter()
    sample = {"wall": middle - wall, "cpu": time.process_time() - cpu}
    exec(compile(text, file, "exec"), {"__name__": "second"})  # noqa: S102
    return {**sample, "again": time.perf_counter() - middle}
