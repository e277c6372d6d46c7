"""The operator for Toyphone: a list of arguments over the body that all reconcile operators share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from integration.toy_vendor.hook import ToyphoneHook

from airflow_provider_phonelink.operators.reconciling import FIELDS, ReconcileLinksOperator


class ToyphoneReconcileLinksOperator(ReconcileLinksOperator):
    """Make the links equal the routes."""

    template_fields = (*FIELDS, "toyphone_conn_id")

    def __init__(
        self, *, routes: Any, prune: Any = False, scope: Any = None, toyphone_conn_id: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._accept(routes, False, prune, None, scope, "report")
        self.toyphone_conn_id = toyphone_conn_id

    @cached_property
    def hook(self) -> ToyphoneHook:
        """The hook."""
        return ToyphoneHook(self.toyphone_conn_id)
