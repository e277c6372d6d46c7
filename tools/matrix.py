"""Run the unit and integration tests on each minor version of Airflow and the Pythons of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Airflow 3.0 came before Python 3.13 was supported. Between the oldest and the newest, the ends of the range will do.
AIRFLOWS = {"3.0": ("3.10", "3.11", "3.12"), "3.1": ("3.10", "3.13"), "3.2": ("3.10", "3.13"), "3.3": PYTHONS}


def main() -> int:
    """Run all combinations, then say how each ended; 1 when one failed."""
    results: list[tuple[str, str, bool]] = []
    pythons = {version: path for version in PYTHONS if (path := find(version))}
    for airflow, supported in AIRFLOWS.items():
        for python in supported:
            if python in pythons:
                results.append((airflow, python, run(airflow, python, pythons[python])))
    for airflow, python, passed in results:
        print(f"Airflow {airflow}, Python {python}: {'passed' if passed else 'FAILED'}")
    if missing := sorted(set(PYTHONS) - set(pythons)):
        print(f"not on this machine: Python {', '.join(missing)}")
    return 0 if results and all(passed for *_, passed in results) else 1


def run(airflow: str, python: str, path: str) -> bool:
    """Run the tests in an environment of their own."""
    settings = [
        f"AIRFLOW={airflow}",
        f"PYTHON={path}",
        f"VENV=.venv/matrix/airflow-{airflow}-python-{python}",
    ]
    make = ["make", "--no-print-directory", "unit", "integration", *settings]
    return subprocess.run(make, cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own arguments


def find(version: str) -> str | None:
    """Return a Python of that version: the one running, on the path, or kept by pyenv."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version == own:
        return sys.executable
    kept = Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(kept))]
    return next((path for path in candidates if path and says(path) == version), None)


def says(path: str) -> str | None:
    """Return the version a Python reports, if it works at all: a pyenv shim may not."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - ditto
    match = re.match(r"Python (\d+\.\d+)", done.stdout)
    return match and match[1]


if __name__ == "__main__":
    sys.exit(main())
