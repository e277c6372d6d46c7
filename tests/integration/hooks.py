"""Hooks without an Airflow behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook

if TYPE_CHECKING:
    from collections.abc import Mapping


def hook_of(vendor: str, connection: Mapping[str, Any], **options: Any) -> DashaHook | CallingBoxHook:
    """Return a hook that is given its connection, read as any other."""
    from airflow.sdk import Connection

    hooks: dict[str, type[DashaHook | CallingBoxHook]] = {"dasha": DashaHook, "callingbox": CallingBoxHook}
    hook = hooks[vendor](f"{vendor}_default", **options)
    fields = {**connection, "extra": json.dumps(connection.get("extra") or {})}
    hook.get_connection = lambda conn_id: Connection(conn_id=conn_id, **fields)
    return hook
