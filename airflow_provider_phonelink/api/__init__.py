"""The client: speaks HTTP to the vendors. It knows nothing of Airflow and can be used without it."""

from __future__ import annotations
