"""The hook for Toyphone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.toy_vendor import TOYPHONE, endpoints

from airflow_provider_phonelink.hooks.vendor import VendorHook

if TYPE_CHECKING:
    from integration.toy_vendor.settings import ToyphoneSettings  # noqa: F401 - the base names it

    from airflow_provider_phonelink.api.calls import Call


class ToyphoneHook(VendorHook["ToyphoneSettings"]):
    """Talk to Toyphone."""

    vendor = TOYPHONE
    conn_name_attr = "toyphone_conn_id"
    default_conn_name = TOYPHONE.default_conn_id
    conn_type = TOYPHONE.key
    hook_name = TOYPHONE.name

    def _probe(self) -> Call[Any]:
        return endpoints.list_lines(self.settings.tenant)
