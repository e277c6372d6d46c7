from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from airflow_harness.waiting import EVENTUALLY

from airflow_provider_phonelink.sandbox import Sandbox
from airflow_provider_phonelink.sandbox.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-W", "error::ResourceWarning", "-m", "airflow_provider_phonelink.sandbox"]


def read_connections(text: str) -> dict[str, dict[str, object]]:
    """What a shell makes of the lines that are there to be copied."""
    exports = re.findall(r"^export AIRFLOW_CONN_(.*)$", text, re.MULTILINE)
    assignments = [shlex.split(export)[0].split("=", 1) for export in exports]
    return {id_.lower(): json.loads(connection) for id_, connection in assignments}


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(signal_number: int) -> None:
    command = [
        *COMMAND,
        "--seed",
        "demo",
        "--set",
        "callingbox_numbers_shape=data",
        "--api-key-callingbox",
        "sk_1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Stop with"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()
        text = "".join(lines)
        connections = read_connections(text)
        url = re.findall(r"http://127\.0\.0\.1:\d+", text)[0]
        assert f"{url}/docs" in text
        assert (
            connections["dasha_default"]["port"] == connections["callingbox_default"]["port"] == int(url[17:])
        )
        assert connections["callingbox_default"]["password"] == "sk_1"
        numbers = httpx.get(f"{url}/v1/numbers", headers={"Authorization": "Bearer sk_1"}).json()
        assert len(numbers["data"]) == 3
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=EVENTUALLY)
    assert (process.returncode, out, err) == (0, "Sandbox stopped.\n", "")


def test_it_runs_in_the_main_thread_of_any_program(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"dasha": {"numbers": [{"phone_number": "+1555"}]}}))
    seen: list[int] = []

    def use_and_stop() -> None:
        try:
            while not (connections := read_connections(capsys.readouterr().out)):
                time.sleep(0.05)
            connection = connections["dasha_default"]
            url = f"http://127.0.0.1:{connection['port']}/api/v1/sip-phone-numbers"
            answer = httpx.get(url, headers={"Authorization": f"Bearer {connection['password']}"})
            seen.append(answer.json()["totalCount"])
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    user = threading.Thread(target=use_and_stop)
    user.start()
    try:
        assert main(["--seed", str(seed), "--api-key-dasha", "it's secret"]) == 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    user.join()
    assert seen == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "127.0.0.1 only"),  # noqa: S104
        (["--host", "::"], "127.0.0.1 only"),
        (["--port", "70000"], "not a port"),
        (["--port", "-1"], "not a port"),
        (["--seed", "/no/such/file.json"], "No such file"),
        (["--set", "nothing=1"], "there is no switch 'nothing'"),
        (["--set", "dasha_phone_filter"], "switch=value"),
        (["--set", "dasha_phone_filter=fuzzy"], "exact"),
    ],
)
def test_what_it_cannot_do_it_says(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_taken_port_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox, pytest.raises(SystemExit):
        main(["--port", str(sandbox.port)])
    assert "cannot listen" in capsys.readouterr().err


def test_help_lists_the_switches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "dasha_duplicate_status=409|400|422" in capsys.readouterr().out
