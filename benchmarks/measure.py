"""What all cases share: the server, fresh processes, repetitions that alternate, and the rows of the table."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.server import CONTROL, HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Sample = dict[str, float]

ROOT = Path(__file__).parents[1]
KEY = "benchmark-key"
#: Seconds after which a process is given up.
PATIENCE = 900


@dataclass(frozen=True)
class Row:
    """One line of the table. What was not measured is empty."""

    case: str
    ours: str
    peer: str = ""
    bare: str = ""
    ratio: str = ""
    target: str = ""
    #: None where the line has no target.
    met: bool | None = None


class Control:
    """Tells the benchmark server what to do; any process may."""

    def __init__(self, port: int) -> None:
        self.port = port

    def set(self, **settings: Any) -> None:
        """Set size, latency or state; the counts begin anew."""
        self._ask(settings)

    def read(self) -> dict[str, Any]:
        """Return what the server was asked since the last :meth:`set`, and the CPU time that it has used."""
        return self._ask({})

    def _ask(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("POST", CONTROL, json.dumps(settings))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


class Server(Control):
    """The benchmark server, in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        super().__init__(int(self._process.stdout.readline()))

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(timeout=10)


@dataclass(frozen=True)
class Bench:
    """What a case is given."""

    server: Server
    home: Path
    quick: bool

    def pick(self, full: int, quick: int) -> int:
        """Return how many repetitions to make."""
        return quick if self.quick else full

    def call(self, function: str, **parameters: Any) -> Any:
        """Call ``module:function`` in a fresh process with an Airflow home, and return its result."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "benchmarks.worker", f"benchmarks.{function}", json.dumps(parameters)],
            env=self.environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise RuntimeError(f"{function} failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def environment(self) -> dict[str, str]:
        """Return the environment of a worker: its own Airflow home, both connections, no proxy, no debugging."""
        dropped = ("AIRFLOW_", "PYTHON", "COVERAGE")
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(dropped) and not key.lower().endswith("_proxy")
        }
        place = {"host": HOST, "port": self.server.port, "schema": "http"}
        return {
            **inherited,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW_CONN_DASHA_DEFAULT": json.dumps({"conn_type": "dasha", "password": KEY, **place}),
            "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps({"conn_type": "http", **place}),
        }


@contextmanager
def started() -> Iterator[Server]:
    """Run a server."""
    server = Server()
    try:
        yield server
    finally:
        server.stop()


def alternate(variants: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Run each variant once for warmth, then all of them in turn, as often as there are rounds."""
    for variant in variants.values():
        variant()
    samples: dict[str, list[Sample]] = {name: [] for name in variants}
    for number in range(rounds):
        names = list(variants)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            samples[name].append(variants[name]())
    return samples


def median(samples: list[Sample], key: str = "wall") -> float:
    """Return the median of one figure of all samples."""
    return statistics.median(sample[key] for sample in samples)


def compared(
    case: str, figures: Mapping[str, float], against: str, target: str, show: Callable[[float], str]
) -> Row:
    """
    Make a row that compares us to one of the others.

    :param figures: ``ours``, and whatever there is of ``peer`` and ``bare``.
    :param against: Which of them the target is about.
    :param target: ``<= 0.1``: our figure divided by the other; ``>= 3``: the other divided by ours.
    """
    sign, limit = target.split()[:2]
    quotient = figures["ours"] / figures[against]
    value, met = (
        (quotient, quotient <= float(limit)) if sign == "<=" else (1 / quotient, 1 / quotient >= float(limit))
    )
    shown = {name: show(figure) for name, figure in figures.items()}
    return Row(case, ratio=f"{value:.3g} ({against})", target=f"{sign} {limit} ({against})", met=met, **shown)


def milliseconds(seconds: float) -> str:
    """Write a duration, rounded to two figures beyond what matters."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 10 else f"{value:.2f} ms"
