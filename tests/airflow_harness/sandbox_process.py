"""The sandbox as a process of its own, as the vendors are: seen and driven over HTTP only."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx

from airflow_harness.waiting import EVENTUALLY, STOPPED_AFTER
from airflow_provider_phonelink.sandbox.server import HOST
from airflow_provider_phonelink.sandbox.world import stand_ins

from .processes import free_port

if TYPE_CHECKING:
    from types import TracebackType


class SandboxProcess:
    """A sandbox to be used with ``with``. ``keys`` are the API keys that it takes."""

    keys = tuple(vendor.api_key for vendor in stand_ins().values())

    def __init__(self) -> None:
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        self.connections = {
            f"{vendor}_default": {
                "conn_type": vendor,
                "host": HOST,
                "schema": "http",
                "port": port,
                "password": key,
            }
            for vendor, key in zip(stand_ins(), self.keys, strict=True)
        }
        self._command = [sys.executable, "-m", "airflow_provider_phonelink.sandbox", "--port", str(port)]
        self._client = httpx.Client(base_url=f"{self.url}/_sandbox/", trust_env=False, timeout=EVENTUALLY)

    def __enter__(self) -> SandboxProcess:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # it prints the keys
            start_new_session=True,
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOPPED_AFTER)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + EVENTUALLY
        while True:
            try:
                self.state()
            except httpx.TransportError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the sandbox did not start") from error
                time.sleep(0.05)
            else:
                return

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every number, by the phone number: more than one of a kind are a mistake that shows."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._do("GET", "state"):
            found.setdefault(row["number"], []).append(row)
        return found

    def writes(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """Return the requests that took effect."""
        params = {"method": method, "path": path, "writes": True}
        return list(self._do("GET", "journal", params=params)["requests"])

    def requests(self) -> int:
        """Return how many requests there were."""
        return int(self._do("GET", "journal", params={"path": "^$"})["total"])

    def reset(self, seed: str | None = None, **switches: Any) -> None:
        """Begin anew: without a number or with a seed's, and with switches set."""
        self._do("POST", "reset")
        if seed:
            self._do("POST", "seed", json={"name": seed})
        self.set(**switches)

    def plant(self, **parts: Any) -> None:
        """Add a seed, given as a part for each vendor."""
        self._do("POST", "seed", json=parts)

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self._do("POST", "clock", json={"advance": seconds})

    def set(self, **switches: Any) -> None:
        self._do("PATCH", "switches", json=switches)

    def plan_registration(self, phone_number: str, *steps: dict[str, Any]) -> None:
        self._do("POST", "registrations", json={"phone_number": phone_number, "steps": steps})

    def add_fault(self, **fault: Any) -> None:
        self._do("POST", "faults", json=fault)

    def faults_fired(self) -> int:
        """Return how often the faults in force have struck."""
        return sum(fault["fired"] for fault in self._do("GET", "faults"))

    def clear_faults(self) -> None:
        self._do("DELETE", "faults")

    def _do(self, method: str, path: str, **options: Any) -> Any:
        return self._client.request(method, path, **options).raise_for_status().json()
