"""Connections that a secrets backend knows do not lead to the sandbox, whatever the environment says."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_phonelink.sandbox.resolution import strays

WANTED = {
    "conn_type": "dasha",
    "host": "127.0.0.1",
    "schema": "http",
    "port": 8765,
    "password": "sk_0123456789",
}
TASKS = "AIRFLOW__WORKERS__SECRETS_BACKEND"
SERVERS = "AIRFLOW__SECRETS__BACKEND"


class Vault:
    """A secrets backend; `answer` is what it has for every id, or the error that it raises."""

    answer: Any = None

    def _set_connection_class(self, _) -> None:
        pass

    def get_connection(self, conn_id):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer and SimpleNamespace(**{"extra": "", **WANTED, **self.answer})

    def get_config(self, key):
        return None


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_DASHA_DEFAULT", json.dumps(WANTED))
    monkeypatch.setitem(sys.modules, "phonelink_vault", SimpleNamespace(Vault=Vault))
    _forget_backends()
    yield
    _forget_backends()


def _forget_backends() -> None:
    """Airflow 3.3 makes a backend once a process."""
    try:
        from airflow.sdk.configuration import clear_secrets_backends_cache
    except ImportError:
        return
    clear_secrets_backends_cache()


def found() -> list[str]:
    return list(strays({"dasha_default": WANTED}))


def test_without_a_backend_the_environment_counts(monkeypatch) -> None:
    assert found() == []
    monkeypatch.delenv("AIRFLOW_CONN_DASHA_DEFAULT")
    assert found()[0] == "Nothing has a `dasha_default`."


@pytest.mark.parametrize("setting", [TASKS, SERVERS])
@pytest.mark.parametrize(
    "answer",
    [
        {"host": "blackbox.dasha.ai"},
        {"host": "", "port": None},
        {"password": "sk_of_the_real_account"},
        {"conn_type": "callingbox"},
        {"schema": "https"},
        {"extra": '{"proxy": "http://127.0.0.1:3128"}'},
    ],
)
def test_a_backend_that_knows_the_connection(monkeypatch, setting, answer) -> None:
    monkeypatch.setenv(setting, "phonelink_vault.Vault")
    monkeypatch.setattr(Vault, "answer", answer)
    assert found() == ["Vault has a `dasha_default` of its own."]


@pytest.mark.parametrize("setting", [TASKS, SERVERS])
@pytest.mark.parametrize("answer", [None, {}])
def test_a_backend_that_does_not_stand_in_the_way(monkeypatch, setting, answer) -> None:
    monkeypatch.setenv(setting, "phonelink_vault.Vault")
    monkeypatch.setattr(Vault, "answer", answer)
    assert found() == []


@pytest.mark.parametrize("setting", [TASKS, SERVERS])
def test_a_backend_that_fails_today_may_answer_tomorrow(monkeypatch, setting) -> None:
    monkeypatch.setenv(setting, "phonelink_vault.Vault")
    monkeypatch.setattr(Vault, "answer", TimeoutError("at https://vault.example?token=s3cr3t"))
    assert found() == ["Vault could not be asked for `dasha_default` (TimeoutError)."]


def test_a_backend_that_cannot_be_made(monkeypatch) -> None:
    monkeypatch.setenv(TASKS, "nowhere.Vault")
    assert found()[0].startswith("Airflow's secrets backend cannot be made")
