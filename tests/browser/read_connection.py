"""A DAG for the browser's tests: what a task reads from a connection, and what the vendor answers to it."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook

HOOKS: dict[str, Any] = {"dasha": DashaHook, "callingbox": CallingBoxHook}


@dag(schedule=None, params={"conn_type": Param("", type="string"), "conn_id": Param("", type="string")})
def read_connection():
    @task
    def settings(params: dict[str, str]) -> dict[str, Any]:
        settings = HOOKS[params["conn_type"]](params["conn_id"]).settings
        proxy = settings.proxy.get_secret_value() if settings.proxy else None
        return {**settings.model_dump(mode="json", exclude={"source", "api_key"}), "proxy": proxy}

    @task
    def numbers(params: dict[str, str]) -> list[str]:
        with HOOKS[params["conn_type"]](params["conn_id"]) as hook:
            return [number.id for number in hook.list_numbers()]

    settings()  # type: ignore[call-arg]
    numbers()  # type: ignore[call-arg]


read_connection()
