"""What all operators for CallingBox have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook


class CallingBoxOperator(BaseOperator):
    """
    Holds the hook made from the connection id that each operator takes.

    It has no constructor: Airflow wraps each one of a class hierarchy, and that is what parsing a file costs.
    """

    ui_color = "#e8eaf6"
    callingbox_conn_id: str

    @cached_property
    def hook(self) -> CallingBoxHook:
        """The hook, made when a task runs and not when a DAG file is parsed."""
        from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook

        return CallingBoxHook(self.callingbox_conn_id)
