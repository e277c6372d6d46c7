"""
What the vendors send, as pydantic models.

Snake case in Python, the vendor's names on the wire. Fields that are unknown here are kept, and so are
unknown registration states. ``model_dump(mode="json")`` gives the plain form that goes into XCom.

``models.dasha`` and ``models.callingbox`` are loaded when first used, so that whoever only describes
calls, such as a DAG file, does not import pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.models import callingbox as callingbox
    from airflow_provider_phonelink.api.models import dasha as dasha


def __getattr__(name: str) -> Any:
    if name in {"callingbox", "dasha"}:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
