"""What a client of Toyphone needs to know."""

from __future__ import annotations

from airflow_provider_phonelink.api.settings import Settings


class ToyphoneSettings(Settings):
    """Settings for Toyphone."""

    default_base_url = "https://api.toyphone.example"
    console_numbers = "lines"

    #: Whose lines they are.
    tenant: str = "main"
