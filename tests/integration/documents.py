"""A page of the documentation: its code blocks and tables, and a shell to run its commands in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class Document:
    """A page in Markdown, by its path from the project's folder."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = (ROOT / path).read_text(encoding="utf-8")

    def block(self, language: str, containing: str) -> str:
        """The one code block of a language that contains some text."""
        found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", self.text, re.M | re.S)
        found = [dedent(text) for _, text in found if containing in text]
        assert len(found) == 1, f"{self.path} has {len(found)} {language} blocks with {containing!r}"
        return str(found[0])

    def table(self, first_head: str) -> list[list[str]]:
        """The cells of the table whose first column has some head, without its heads."""
        assert self.text.count(f"\n| {first_head} |") == 1, f"{self.path} has no one table of {first_head}"
        rows = self.text.split(f"\n| {first_head} |")[1].split("\n\n")[0].splitlines()[2:]
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def environment(project: Path, **variables: str) -> dict[str, str]:
    """The environment of a user's shell, whose Airflow has its home and its DAGs in a project's folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {
        **inherited,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **variables,
    }


def run(command: str, project: Path, **variables: str) -> str:
    """Run a command line in such a shell and return what it printed."""
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=project,
        env=environment(project, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout
