"""The base class of all operators for Dasha BlackBox."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator

from airflow_provider_phonelink.operators.arguments import refuse_none

if TYPE_CHECKING:
    from airflow_provider_phonelink.hooks.dasha import DashaHook


class DashaOperator(BaseOperator):
    """
    Holds the hook, which is made from the operator's connection id.

    It has no constructor of its own: Airflow wraps every constructor of a class hierarchy, and each one makes parsing
    DAG files slower.
    """

    ui_color = "#e3f2ec"
    dasha_conn_id: str
    #: What :func:`~airflow_provider_phonelink.operators.arguments.given_arguments` returned.
    _given: frozenset[str] = frozenset()

    @cached_property
    def hook(self) -> DashaHook:
        """
        The hook, which is made when a task runs, not when a DAG file is parsed.

        Nothing can be sent without it, so an argument that rendered to nothing is refused here.
        """
        refuse_none(self, self._given)
        return self.new_hook()

    def new_hook(self) -> DashaHook:
        """Return a hook, also if an argument is refused: what an earlier try took goes back all the same."""
        from airflow_provider_phonelink.hooks.dasha import DashaHook

        return DashaHook(self.dasha_conn_id)
