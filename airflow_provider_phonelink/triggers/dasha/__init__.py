"""Triggers for Dasha BlackBox."""

from __future__ import annotations

from airflow_provider_phonelink.triggers.dasha.events import DashaRegistrationEventTrigger
from airflow_provider_phonelink.triggers.dasha.registration import DashaRegistrationTrigger

__all__ = ["DashaRegistrationEventTrigger", "DashaRegistrationTrigger"]
