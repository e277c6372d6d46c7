"""What the tests and the demo use to run DAGs, tasks and triggers in a real Airflow, on every supported version.

``home``       an Airflow home of its own, its settings and its migrated SQLite database
``tasks``      one task or trigger, alone: 20 ms, no database
``runs``       one run of a DAG in this process, by ``dag.test()``: 0.3 s and what the tasks take
``processes``  API server, scheduler, DAG processor and triggerer: 15 s to start, then as in production

Nothing here imports Airflow before it is used: ``AIRFLOW_HOME`` and the settings have to be there first.
"""

from __future__ import annotations
