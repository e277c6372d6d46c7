"""Importing the modules that a DAG file needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Row, alternate, compared, median, milliseconds

if TYPE_CHECKING:
    from benchmarks.measure import Bench, Sample

OURS = [
    "airflow_provider_phonelink.operators.dasha",
    "airflow_provider_phonelink.operators.callingbox",
    "airflow_provider_phonelink.sensors.dasha",
]
PEER = ["airflow.providers.http.operators.http", "airflow.providers.http.sensors.http"]
LIMIT = 0.010
HOW = """
All operator and sensor modules of each provider are imported in a fresh process that has already imported
`DAG, BaseOperator, BaseSensorOperator, task` from `airflow.sdk`; the time from there on is counted. Bytecode is
compiled. Bare httpx is `import httpx` at the same place, which costs nothing: Airflow has imported it already. Median
of the processes, which alternate."""


def run(bench: Bench) -> list[Row]:
    """Import both providers in turn."""
    variants = {"ours": OURS, "peer": PEER, "bare": ["httpx"]}

    def importing(modules: list[str]) -> Sample:
        sample: Sample = bench.call("imports:time_import", modules=modules)
        return sample

    samples = alternate(
        {name: lambda modules=modules: importing(modules) for name, modules in variants.items()},  # type: ignore[misc]
        bench.pick(11, 3),
    )
    rows = []
    for key, title in (("wall", ""), ("cpu", ", CPU time")):
        figures = {name: median(found, key) for name, found in samples.items()}
        rows.append(compared(f"import operators and sensors{title}", figures, "peer", "<= 0.1", milliseconds))
    ours = median(samples["ours"])
    rows.insert(1, Row("the same", milliseconds(ours), target="<= 10 ms", met=ours <= LIMIT))
    return rows


def time_import(modules: list[str]) -> Sample:
    """Import some modules, after what every DAG file imports."""
    import time
    from importlib import import_module

    from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task  # noqa: F401

    wall, cpu = time.perf_counter(), time.process_time()
    for module in modules:
        import_module(module)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
