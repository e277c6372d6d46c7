"""
A stand-in for the vendors with real state: for offline development, the demo and tests.

On the command line: `python -m airflow_provider_phonelink.sandbox --seed demo`. In Python:

    with Sandbox(seed="demo") as sandbox:
        sandbox.faults.add(Fault("drop", method="PUT", when="after"))
        ...
        assert len(sandbox.journal.writes()) == 1

In pytest: the fixture `phonelink_sandbox` of `airflow_provider_phonelink.sandbox.pytest_plugin`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.dasha.registration import Step
    from airflow_provider_phonelink.sandbox.faults import Fault
    from airflow_provider_phonelink.sandbox.server import Sandbox
    from airflow_provider_phonelink.sandbox.switches import Switches

__all__ = ["Fault", "Sandbox", "Step", "Switches"]

_MODULES = {"Fault": "faults", "Sandbox": "server", "Step": "dasha.registration", "Switches": "switches"}


def __getattr__(name: str) -> Any:
    """Import a name only when it is used: the pytest plugin is loaded long before a sandbox is needed."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
