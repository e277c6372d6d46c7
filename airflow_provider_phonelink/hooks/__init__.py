"""Turn an Airflow connection into a client of a vendor."""

from __future__ import annotations
