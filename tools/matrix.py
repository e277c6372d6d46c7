"""Run the tests on each minor version of Airflow and the Pythons of this machine: ``matrix.py [3.3/3.12 ...]``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAKE = ("make", "--no-print-directory")
OUTPUT = ROOT / "build" / "matrix"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Airflow 3.0 came before Python 3.13 was supported. Between the oldest and the newest, the ends of the range will do.
AIRFLOWS = {"3.0": ("3.10", "3.11", "3.12"), "3.1": ("3.10", "3.13"), "3.2": ("3.10", "3.13"), "3.3": PYTHONS}
# What needs no Airflow runs once with each Python, with the newest.
EVERYTHING = ("unit", "integration")
TARGETS = dict.fromkeys(AIRFLOWS, (".what-airflow-decides",)) | {"3.3": EVERYTHING}
#: One for each core of a small machine.
AT_ONCE = 2


def main(chosen: list[str]) -> int:
    """Run all combinations, or those that are named; say how each ended, and return 1 when one failed."""
    pythons = {version: path for version in PYTHONS if (path := find(version))}
    combinations = [
        (airflow, python, pythons[python])
        for airflow, supported in AIRFLOWS.items()
        for python in supported
        if python in pythons and (not chosen or f"{airflow}/{python}" in chosen)
    ]
    OUTPUT.mkdir(parents=True, exist_ok=True)
    # Before anything runs in two places at once: what all environments are made with.
    subprocess.run([*MAKE, ".uv"], cwd=ROOT, check=True)  # noqa: S603 - our own arguments
    with ThreadPoolExecutor(AT_ONCE) as threads:
        results = list(threads.map(lambda combination: run(*combination), combinations))
    if missing := sorted(set(PYTHONS) - set(pythons)):
        print(f"not on this machine: Python {', '.join(missing)}")
    return 0 if results and all(results) else 1


def run(airflow: str, python: str, path: str) -> bool:
    """Run the tests in an environment of their own; what they print goes to a file, how many passed to the terminal."""
    name = f"airflow-{airflow}-python-{python}"
    settings = [f"AIRFLOW={airflow}", f"PYTHON={path}", f"VENV=.venv/matrix/{name}"]
    make = [*MAKE, "--keep-going", *TARGETS[airflow], *settings]
    output = OUTPUT / f"{name}.txt"
    with output.open("w", encoding="utf-8") as file:
        done = subprocess.run(make, cwd=ROOT, check=False, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603 - ditto
    counts = re.findall(
        r"^=+ (.*(?:passed|failed|error).*) =+$", output.read_text(encoding="utf-8"), re.MULTILINE
    )
    ended = "passed" if done.returncode == 0 else f"FAILED, see {output.relative_to(ROOT)}"
    print(f"Airflow {airflow}, Python {python}: {ended}; {'; '.join(counts)}", flush=True)
    return done.returncode == 0


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
    sys.exit(main(sys.argv[1:]))
