"""The page "Phone numbers" in Airflow's UI: what each number is and serves right now, and who changed that."""

from __future__ import annotations
