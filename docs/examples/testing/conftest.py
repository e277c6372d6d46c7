"""An Airflow of the tests' own, in a folder beside them: its database knows the DAGs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent

# Airflow reads its settings when it is imported: so they come before any DAG.
os.environ["AIRFLOW_HOME"] = str(FOLDER / ".airflow")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(FOLDER / "dags")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


def pytest_sessionstart():
    for command in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run([sys.executable, "-m", "airflow", *command], check=True)
