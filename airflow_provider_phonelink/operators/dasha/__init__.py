"""Operators for Dasha BlackBox."""

from __future__ import annotations

from airflow_provider_phonelink.operators.dasha.delete import DashaDeletePhoneNumberOperator
from airflow_provider_phonelink.operators.dasha.export import DashaExportRoutesOperator
from airflow_provider_phonelink.operators.dasha.numbers import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.operators.dasha.onboard import DashaOnboardPhoneNumbersOperator
from airflow_provider_phonelink.operators.dasha.reconcile import DashaReconcileLinksOperator
from airflow_provider_phonelink.operators.dasha.rotation import DashaRotatePhoneNumberOperator

__all__ = [
    "DashaCreatePhoneNumberOperator",
    "DashaDeletePhoneNumberOperator",
    "DashaExportRoutesOperator",
    "DashaLinkPhoneNumberOperator",
    "DashaListPhoneNumbersOperator",
    "DashaOnboardPhoneNumbersOperator",
    "DashaReconcileLinksOperator",
    "DashaRotatePhoneNumberOperator",
    "DashaUnlinkPhoneNumberOperator",
]
