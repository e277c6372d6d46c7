"""What a client of CallingBox needs to know."""

from __future__ import annotations

from pydantic import Field

from airflow_provider_phonelink.api.settings import Settings
from airflow_provider_phonelink.vendors import CALLINGBOX


class CallingBoxSettings(Settings):
    """Settings for CallingBox."""

    default_base_url = CALLINGBOX.base_url
    console_numbers = "numbers"

    #: The name of the number's id in the bodies of attach and set-primary, which the vendor does not document.
    attach_body_key: str = Field("number_id", min_length=1)
