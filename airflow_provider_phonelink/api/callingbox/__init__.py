"""
The API of CallingBox: its endpoints, the flows that read and write, the models of its answers, and a client's settings.

``models`` is imported when it is first used, so that a DAG file, which only describes calls, does not import pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox import models as models


def __getattr__(name: str) -> Any:
    if name == "models":
        return import_module(f"{__name__}.models")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
