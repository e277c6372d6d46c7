"""A page of the documentation: its code blocks and tables, and a shell to run its commands in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from airflow_harness.waiting import EVENTUALLY

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class Document:
    """A page in Markdown, by its path from the project's folder."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = (ROOT / path).read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language."""
        found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", self.text, re.M | re.S)
        return [dedent(text) for _, text in found]

    def block(self, language: str, containing: str) -> str:
        """The one of them that contains some text."""
        found = [text for text in self.blocks(language) if containing in text]
        assert len(found) == 1, f"{self.path} has {len(found)} {language} blocks with {containing!r}"
        return found[0]

    def table(self, first_head: str) -> list[list[str]]:
        """The cells of the table whose first column has some head, without its heads."""
        assert self.text.count(f"\n| {first_head} |") == 1, f"{self.path} has no one table of {first_head}"
        rows = self.text.split(f"\n| {first_head} |")[1].split("\n\n")[0].splitlines()[2:]
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def run(command: str, folder: Path, **variables: str) -> str:
    """Run a command line in the shell of a user whose home is some folder, and return what it printed."""
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env={**_environment(), "HOME": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=EVENTUALLY,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def run_with_airflow(command: str, project: Path, **variables: str) -> str:
    """Run it where Airflow has its home and its DAGs in the folder, a project's."""
    airflow = {
        "PYTHONPATH": str(project),
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    return run(command, project, **airflow, **variables)


def _environment() -> dict[str, str]:
    """The environment of somebody who has installed the provider and nothing else, and measures no coverage."""
    foreign = ("AIRFLOW", "COVERAGE", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
