"""What all operators for Dasha BlackBox have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow_provider_phonelink.hooks.dasha import DashaHook


class DashaOperator(BaseOperator):
    """
    Holds the hook made from the connection id that each operator takes.

    It has no constructor: Airflow wraps each one of a class hierarchy, and that is what parsing a file costs.
    """

    ui_color = "#e3f2ec"
    dasha_conn_id: str

    @cached_property
    def hook(self) -> DashaHook:
        """The hook, made when a task runs and not when a DAG file is parsed."""
        from airflow_provider_phonelink.hooks.dasha import DashaHook

        return DashaHook(self.dasha_conn_id)
