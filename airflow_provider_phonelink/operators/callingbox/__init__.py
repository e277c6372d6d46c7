"""Operators for CallingBox."""

from __future__ import annotations

from airflow_provider_phonelink.operators.callingbox.export import CallingBoxExportRoutesOperator
from airflow_provider_phonelink.operators.callingbox.lists import (
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
)
from airflow_provider_phonelink.operators.callingbox.numbers import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.callingbox.reconcile import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.operators.callingbox.rotation import CallingBoxRotatePrimaryNumberOperator

__all__ = [
    "CallingBoxAttachNumberOperator",
    "CallingBoxDetachNumberOperator",
    "CallingBoxExportRoutesOperator",
    "CallingBoxListAgentsOperator",
    "CallingBoxListNumbersOperator",
    "CallingBoxReconcileLinksOperator",
    "CallingBoxRotatePrimaryNumberOperator",
    "CallingBoxSetPrimaryNumberOperator",
]
