"""Operators for CallingBox."""

from __future__ import annotations

from airflow_provider_phonelink.operators.callingbox.numbers import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.operators.callingbox.reconcile import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.operators.callingbox.rotation import CallingBoxRotatePrimaryNumberOperator

__all__ = [
    "CallingBoxAttachNumberOperator",
    "CallingBoxDetachNumberOperator",
    "CallingBoxReconcileLinksOperator",
    "CallingBoxRotatePrimaryNumberOperator",
]
