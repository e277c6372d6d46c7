"""Apache Airflow provider for the phone numbers of voice agents (Dasha BlackBox, CallingBox)."""

from __future__ import annotations

__version__ = "0.1.0"
