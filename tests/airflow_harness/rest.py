"""A running Airflow, seen through its public REST API: what a user of it can see and do."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from airflow_harness.waiting import EVENTUALLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FINISHED = ("success", "failed")


class AirflowApi:
    """The API of an Airflow whose simple auth manager takes everybody for an admin."""

    def __init__(self, url: str, alive: Callable[[], None] = lambda: None) -> None:
        """
        :param url: address of the API server.
        :param alive: called while waiting; raises when waiting has become pointless.
        """
        self.url = url
        self._alive = alive
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=EVENTUALLY)
        # Waiting asks five times a second; a failing test's report should not list that.
        logging.getLogger("httpx").addFilter(self._is_foreign)

    def close(self) -> None:
        self._client.close()
        logging.getLogger("httpx").removeFilter(self._is_foreign)

    def _is_foreign(self, record: logging.LogRecord) -> bool:
        return self.url not in record.getMessage()

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Any request below ``/api/v2``; an error status raises, with what the server says of it."""
        if "Authorization" not in self._client.headers:
            token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
            self._client.headers["Authorization"] = f"Bearer {token}"
        response = self._client.request(method, f"/api/v2/{path}", **kwargs)
        if response.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {response.status_code} {response.text[:500]}",
                request=response.request,
                response=response,
            )
        return response

    def get(self, path: str, **params: Any) -> Any:
        return self.request("GET", path, params=params).json()

    # --- health and setup ---

    def signs_of_life(self) -> dict[str, list[datetime]]:
        """When each scheduler, DAG processor and triggerer last gave a sign of life, by the type of its job."""
        found: dict[str, list[datetime]] = {}
        for job in self.running_jobs():
            found.setdefault(job["job_type"], []).append(moment(job["latest_heartbeat"]))
        return found

    def running_jobs(self) -> list[dict[str, Any]]:
        """The jobs of components that have not ended; that of a killed one is among them."""
        return list(self.get("jobs", job_state="running")["jobs"])

    def set_connection(self, conn_id: str, **fields: Any) -> None:
        """Create a connection in the database, or replace it: an edit that running tasks get to see."""
        if isinstance(fields.get("extra"), dict):
            fields["extra"] = json.dumps(fields["extra"])
        body = {"connection_id": conn_id, "conn_type": "generic", **fields}
        try:
            self.request("POST", "connections", json=body)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise
            self.request("PATCH", f"connections/{conn_id}", json=body)

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        self.request("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused})

    def wait_for_dag(self, dag_id: str, timeout: float = EVENTUALLY) -> None:
        """Wait until the DAG processor has parsed a DAG."""

        def parsed() -> bool:
            try:
                self.get(f"dags/{dag_id}")
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.NOT_FOUND:
                    return False
                raise
            return True

        self.wait_until(parsed, timeout, lambda: f"DAG {dag_id} did not appear: {self.import_errors()}")

    def import_errors(self) -> list[str]:
        return [error["stack_trace"] for error in self.get("importErrors")["import_errors"]]

    # --- runs ---

    def trigger_dag(
        self, dag_id: str, conf: Mapping[str, Any] | None = None, logical_date: datetime | None = None
    ) -> str:
        """Start a run and return its id. The DAG is waited for, and taken out of pause."""
        self.wait_for_dag(dag_id)
        self.set_paused(dag_id, False)
        body = {"logical_date": logical_date.isoformat() if logical_date else None, "conf": dict(conf or {})}
        return str(self.request("POST", f"dags/{dag_id}/dagRuns", json=body).json()["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait(self, dag_id: str, run_id: str, timeout: float = EVENTUALLY) -> str:
        """Wait until a run is over and return its state."""
        self.wait_until(
            lambda: self.run_state(dag_id, run_id) in FINISHED,
            timeout,
            lambda: f"{dag_id} {run_id} is not over: {self.task_states(dag_id, run_id)}",
        )
        return self.run_state(dag_id, run_id)

    def wait_for_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        *states: str,
        map_index: int = -1,
        timeout: float = EVENTUALLY,
    ) -> dict[str, Any]:
        """Wait until a task is in one of the states and return it."""
        found: dict[str, Any] = {}

        def reached() -> bool:
            found.update(self.task_instance(dag_id, run_id, task_id, map_index) or {})
            return found.get("state") in states

        self.wait_until(
            reached, timeout, lambda: f"{task_id} is {found.get('state')}, not {' or '.join(states)}"
        )
        return found

    def wait_until(
        self, done: Callable[[], bool], timeout: float, explain: Callable[[], str], every: float = 0.2
    ) -> None:
        """Wait until something is done. A question that costs the API server much is asked less often."""
        deadline = time.monotonic() + timeout
        while not done():
            self._alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {timeout:g} s: {explain()}")
            time.sleep(every)

    # --- task instances ---

    def task_instances(self, dag_id: str, run_id: str, *states: str) -> list[dict[str, Any]]:
        """All of a run's task instances, mapped ones one by one; or only those in some states."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=100, offset=len(found), order_by="map_index", state=states)
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def task_instance(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1
    ) -> dict[str, Any] | None:
        for instance in self.task_instances(dag_id, run_id):
            if (instance["task_id"], instance["map_index"]) == (task_id, map_index):
                return instance
        return None

    def task_states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str | None]:
        return {(t["task_id"], t["map_index"]): t["state"] for t in self.task_instances(dag_id, run_id)}

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, key: str = "return_value"
    ) -> Any:
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.get(path, map_index=map_index, stringify=False)["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """What one try of a task logged, one record a line. Airflow 3.0 leaves out what its triggers logged."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        answer = self.request(
            "GET",
            path,
            params={"map_index": map_index, "full_content": True},
            headers={"Accept": "application/json"},
        ).json()
        content = answer["content"]
        return content if isinstance(content, str) else "\n".join(map(_record, content))

    def rendered(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> dict[str, Any]:
        instance = self.task_instance(dag_id, run_id, task_id, map_index) or {}
        return dict(instance.get("rendered_fields") or {})

    def count_events(self, dag_id: str, run_id: str, event: str) -> int:
        """How often Airflow has noted something of a run's tasks, a state they came to for instance."""
        found = self.get("eventLogs", dag_id=dag_id, run_id=run_id, event=event, limit=1)
        return int(found["total_entries"])

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks, as a user does to have them run again."""
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": list(task_ids), "only_failed": False}
        self.request("POST", f"dags/{dag_id}/clearTaskInstances", json=body)

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int | None = None) -> None:
        """Set a task's state, as a user does who marks it failed or successful."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        params = {} if map_index is None else {"map_index": map_index}
        self.request("PATCH", path, params=params, json={"new_state": state})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _record(record: Any) -> str:
    if isinstance(record, str):
        return record
    rest = {k: v for k, v in record.items() if k not in ("event", "timestamp", "level", "logger") and v}
    words = [record.get("level", ""), record.get("event", ""), *(f"{k}={v!r}" for k, v in rest.items())]
    return " ".join(str(word) for word in words if word)
