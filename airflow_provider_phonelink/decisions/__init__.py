"""Decisions as pure functions over what was read: no network, no clock, no Airflow."""

from __future__ import annotations
