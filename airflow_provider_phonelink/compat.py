"""
Names that Airflow keeps in different places, depending on its version; all others come from ``airflow.sdk``.

Each is looked for when it is first used, so that parsing a DAG file imports no more than the file needs. The provider
for common compatibility does the same from its version 1.11 on, but Airflow's own constraints of 3.0.6 to 3.1.6 hold an
earlier one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import BaseHook, conf
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
        AirflowTaskTimeout,
        TaskDeferralTimeout,
    )
else:
    _EXCEPTIONS = ("airflow.sdk.exceptions", "airflow.exceptions")
    #: Where to look, the newest Airflow first.
    _PLACES = {
        "AirflowException": _EXCEPTIONS,
        "AirflowFailException": _EXCEPTIONS,
        "AirflowNotFoundException": _EXCEPTIONS,
        "AirflowSensorTimeout": _EXCEPTIONS,
        "AirflowSkipException": _EXCEPTIONS,
        "AirflowTaskTimeout": _EXCEPTIONS,
        "BaseHook": ("airflow.sdk", "airflow.hooks.base"),
        "TaskDeferralTimeout": _EXCEPTIONS,
        "conf": ("airflow.sdk", "airflow.configuration"),
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        for place in _PLACES.get(name, ()):
            try:
                return getattr(import_module(place), name)
            except (ImportError, AttributeError):
                continue
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AirflowTaskTimeout",
    "BaseHook",
    "TaskDeferralTimeout",
    "conf",
]
