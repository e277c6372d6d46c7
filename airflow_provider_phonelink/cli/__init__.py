"""The command line: ``phonelink``, and ``airflow phonelink`` where this Airflow takes commands of providers."""

from __future__ import annotations
