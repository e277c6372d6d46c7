from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import Any

import httpx
import pytest

import airflow_provider_phonelink.sandbox as package
from airflow_provider_phonelink.sandbox import Fault, Sandbox, Switches, server
from airflow_provider_phonelink.sandbox.answers import Answer, Wire, dropped
from airflow_provider_phonelink.sandbox.dasha.registration import Step

NUMBERS = "/api/v1/sip-phone-numbers"


def get(sandbox: Sandbox, path: str = NUMBERS, **options: Any) -> httpx.Response:
    return httpx.get(sandbox.url + path, headers={"Authorization": f"Bearer {sandbox.dasha_key}"}, **options)


def test_one_port_serves_both_vendors_and_the_connections_lead_there() -> None:
    with Sandbox(seed="demo", dasha_key="key-d", callingbox_key="key-c") as sandbox:
        assert (
            sandbox.url == sandbox.dasha_url == sandbox.callingbox_url == f"http://127.0.0.1:{sandbox.port}"
        )
        paths = {"dasha": f"{NUMBERS}?take=1", "callingbox": "/v1/agents"}
        for vendor, path in paths.items():
            connection = sandbox.connections[f"{vendor}_default"]
            assert connection["conn_type"] == vendor
            place = f"{connection['schema']}://{connection['host']}:{connection['port']}"
            answer = httpx.get(place + path, headers={"Authorization": f"Bearer {connection['password']}"})
            assert answer.status_code == 200
    assert {c["password"] for c in sandbox.connections.values()} == {"key-d", "key-c"}


def test_it_starts_and_stops_cleanly() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox().start()
    with httpx.Client() as client:  # a connection that is kept alive does not hold it up
        client.get(f"{sandbox.url}/docs")
        sandbox.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        get(sandbox)
    sandbox.stop()


def test_an_answer_does_not_wait_for_the_network() -> None:
    with Sandbox(seed="demo") as sandbox, httpx.Client(base_url=sandbox.url) as client:
        client.get("/docs")
        connections = sandbox._stand.connections
        assert connections
        [connection] = connections()
        own_end = connection.transport.get_extra_info("socket")
        # With Nagle's algorithm each answer waits 40 ms for the client's acknowledgement.
        assert own_end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_hanging_request_does_not_keep_it_from_stopping() -> None:
    sandbox = Sandbox().start()
    sandbox.faults.add(Fault("hang"))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            get(sandbox, timeout=30)
        except httpx.HTTPError as error:
            errors.append(error)

    client = threading.Thread(target=ask)
    client.start()
    while not sandbox.journal.total:
        time.sleep(0.01)
    sandbox.stop()
    client.join()
    assert isinstance(errors[0], httpx.RemoteProtocolError)


def test_stopped_and_started_again_it_is_the_same_on_the_same_port() -> None:
    sandbox = Sandbox(seed="demo").start()
    port = sandbox.port
    sandbox.world.dasha.add_number("+15550100009")
    sandbox.stop()
    with sandbox:
        assert sandbox.port == port
        assert get(sandbox).json()["totalCount"] == 6
        with pytest.raises(RuntimeError, match="running"):
            sandbox.start()


def test_reset_goes_back_to_what_it_was_started_with() -> None:
    with Sandbox(seed="demo", switches={"dasha_phone_filter": "substring"}) as sandbox:
        numbers = set(sandbox.world.dasha.numbers)
        sandbox.set(dasha_phone_filter="exact", dasha_created_status=200)
        sandbox.world.advance(100)
        sandbox.world.dasha.delete(min(numbers), force=True)
        sandbox.faults.add(Fault("drop", count=None))
        sandbox.reset()
        assert get(sandbox).json()["totalCount"] == 5
        assert sandbox.switches == Switches(dasha_phone_filter="substring")
        assert sandbox.world.clock.now() < time.time() + 1
        assert sandbox.faults.armed == []
        assert len(sandbox.journal) == 1


def test_a_port_that_is_taken_is_an_error() -> None:
    with Sandbox() as sandbox, pytest.raises(OSError, match="in use"):
        Sandbox(port=sandbox.port).start()


def test_it_listens_on_loopback_only() -> None:
    with Sandbox() as sandbox:
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in {str(other) for other in others if not str(other).startswith("127.")}:
            with pytest.raises(OSError), socket.create_connection((address, sandbox.port), timeout=1):
                pass
        listening = subprocess.run(
            [sys.executable, "-c", LISTENERS, str(sandbox.port)], capture_output=True, text=True, check=True
        )
    assert listening.stdout.split() == ["0100007F"]


# Which addresses a port is listened on, as the kernel tells.
LISTENERS = """
import pathlib, sys
port = f":{int(sys.argv[1]):04X}"
for table in ("tcp", "tcp6"):
    for line in pathlib.Path("/proc/net/", table).read_text().splitlines()[1:]:
        place, state = line.split()[1], line.split()[3]
        if state == "0A" and place.endswith(port):
            print(place.removesuffix(port))
"""


def test_a_server_that_does_not_come_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(running: Any, listener: socket.socket) -> None:
        listener.close()

    monkeypatch.setattr(server, "_serve", fail)
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="did not start"):
        sandbox.start()
    monkeypatch.undo()
    with sandbox:
        assert get(sandbox).status_code == 200


@pytest.mark.parametrize("library", ["h11", "httptools"])
def test_faults_below_http_work_with_either_http_library(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    pytest.importorskip(library)
    monkeypatch.setattr(server, "_http_library", lambda: library)
    with Sandbox(seed="demo") as sandbox:
        for fault in (Fault("drop"), Fault("drop", reset=True), Fault("cut"), Fault("hang")):
            sandbox.faults.add(fault)
            with pytest.raises(httpx.TransportError):
                get(sandbox, timeout=0.2)
            sandbox.faults.clear()
            assert get(sandbox).status_code == 200


def test_a_bug_in_a_tests_own_code_is_no_vendors_answer(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox() as sandbox:
        sandbox.faults.meanwhile(lambda world: 1 / 0)
        assert get(sandbox).status_code == 500
    assert "ZeroDivisionError" in caplog.text


def test_nothing_is_logged_when_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with Sandbox() as sandbox, httpx.Client() as client:
        for fault in (Fault("drop"), Fault("cut"), Fault("drip", seconds=0.1)):
            sandbox.faults.add(fault)
            try:
                client.get(sandbox.url + NUMBERS)
            except httpx.TransportError:
                continue
    assert [record for record in caplog.records if "uvicorn" in record.name] == []


@pytest.mark.anyio
async def test_a_connection_can_be_dropped_by_its_own_server_only() -> None:
    async def unused(*_: Any) -> Any:
        raise AssertionError

    wire = Wire({"client": ("127.0.0.1", 1)}, unused, unused, None)
    with pytest.raises(ConnectionAbortedError):
        await dropped().send(wire)
    assert Answer(200, body=b"<html>").json() is None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_the_package_offers_its_names_and_imports_nothing_before_they_are_used() -> None:
    assert (package.Step, package.Switches) == (Step, Switches)
    with pytest.raises(AttributeError, match="Sandpit"):
        package.Sandpit  # noqa: B018
    code = "import sys, airflow_provider_phonelink.sandbox.pytest_plugin; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"fastapi", "uvicorn", "pydantic", "httpx", "airflow"} & set(run.stdout.split())


def test_the_sandbox_needs_neither_airflow_nor_the_providers_client() -> None:
    code = "import sys; from airflow_provider_phonelink.sandbox import Sandbox; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(run.stdout.split())
    assert "uvicorn" in modules
    assert not {"airflow", "httpx", "airflow_provider_phonelink.api.senders"} & modules
