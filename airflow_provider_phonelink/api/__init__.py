"""Speak HTTP to the vendors. Knows nothing of Airflow and is usable without it."""

from __future__ import annotations
