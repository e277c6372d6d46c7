"""Commands of ``phonelink`` in this process, and what they print."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml

from airflow_provider_phonelink.cli.__main__ import main
from airflow_provider_phonelink.files.cells import text_of

KEYS = ("dasha-sandbox-key", "sk_sandbox_key")
FORMS = ("table", "json", "yaml", "csv")


@pytest.fixture
def phonelink(capsys, monkeypatch, phonelink_sandbox):
    """Run a command in this process: its exit code, its output and what it said beside it."""
    for id_, connection in phonelink_sandbox.connections.items():
        # Longer than any busy machine takes: a try that is given up is one request more.
        extra = {**connection.get("extra", {}), "timeout": 60, "max_retries": 1}
        monkeypatch.setenv(f"AIRFLOW_CONN_{id_.upper()}", json.dumps({**connection, "extra": extra}))

    def run(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert not [key for key in KEYS if key in printed.out + printed.err]
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run


@pytest.fixture
def routes_file(tmp_path):
    """A file of routes, one of which is true already."""
    path = tmp_path / "routes.yaml"
    path.write_text(
        "- {number: '+15550100001', agent_id: agent-support}\n"
        "- {number: '+1 555 010 0003', agent_id: agent-sales, comment: new}\n"
    )
    return path


def parsed(text, form):
    if form == "csv":
        return [
            {name: text_of(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))
        ]
    return json.loads(text) if form == "json" else yaml.safe_load(text)


def is_one_error(text, *words):
    assert text.startswith("phonelink: error: ")
    assert text.count("\n") == 1
    return all(word in text for word in words)
