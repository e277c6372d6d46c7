"""The API key is nowhere it could be read, whatever goes wrong; and vendor text forges no line."""

from __future__ import annotations

import http.server
import json
import logging
import socket
import threading
import traceback
from uuid import uuid4

import pytest
from airflow_harness.tasks import run_task, run_to_end
from integration.matrix import OPERATIONS
from integration.operations import Scene
from integration.worlds import AGENT, CREDENTIALS

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
)
from airflow_provider_phonelink.sandbox import Fault
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

pytestmark = pytest.mark.matrix

LOGGERS = ("", "httpx", "httpcore", "airflow.task", "airflow_provider_phonelink", "asyncio")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """A list has a second page, for what strikes the last request of each operation."""
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 2)


@pytest.fixture
def key(sandbox, connections) -> str:
    """A random key, the same for both vendors."""
    key = f"sk_{uuid4().hex}"
    for vendor in ("dasha", "callingbox"):
        sandbox.change_key(vendor, key)
        connections[f"{vendor}_default"]["password"] = key
    return key


class _Raw(logging.Handler):
    """What is logged before anything masks it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {record.getMessage()}")
        if record.exc_info:
            self.lines.append("".join(traceback.format_exception(*record.exc_info)))


@pytest.fixture
def raw_logs(monkeypatch):
    handler = _Raw()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        logger.addHandler(handler)
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]
    yield handler.lines
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
    monkeypatch.undo()
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]


def everything(outcome, sandbox, raw_logs) -> str:
    """All that anybody could read of a task afterwards."""
    error = outcome.error
    chain = []
    while error is not None:
        chain += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(
        [
            *chain,
            "".join(traceback.format_exception(outcome.error)) if outcome.error else "",
            outcome.log,
            repr(outcome.xcoms),
            repr(outcome.rendered),
            repr(outcome.deferral and (outcome.deferral.trigger_kwargs, outcome.deferral.kwargs)),
            *raw_logs,
            *(json.dumps(entry.as_dict()) for entry in sandbox.journal),
        ]
    )


FAULTS = {
    "none": None,
    "500": {"kind": "status", "status": 500},
    "401": {"kind": "status", "status": 401},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "drop": {"kind": "drop"},
    "cut": {"kind": "cut"},
    "html": {"kind": "html"},
    "wrong id": {"kind": "wrong_id"},
    "redirect": {"kind": "redirect"},
    "text echo": {"kind": "status", "status": 400, "body": "bad header: Authorization: Bearer KEY"},
    "text echo far in": {"kind": "status", "status": 400, "body": "x" * 190 + "KEY"},
    "problem echo": {
        "kind": "status",
        "status": 403,
        "body": '{"title": "no KEY", "detail": "KEY", "errors": {"KEY": ["KEY"]}}',
    },
    "error echo": {"kind": "status", "status": 400, "body": '{"error": {"message": "KEY is no key"}}'},
    "unreadable echo": {"kind": "status", "status": 200, "body": "KEY"},
    "wrong type echo": {"kind": "status", "status": 200, "body": '{"id": {"KEY": 1}, "items": "KEY"}'},
    "echo in the request id": {"kind": "status", "status": 400, "headers": {"cf-ray": "KEY"}},
}
#: What a vendor says in the clear, this side of Airflow's masking, httpcore itself logs at level DEBUG.
ECHOED_HEADER = {"echo in the request id"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_key_is_nowhere(sandbox, connections, key, raw_logs, operation, fault):
    scene = Scene(operation, sandbox)
    # A page has no id, and neither has the answer about a number that is gone.
    harmless = fault == "none" or (
        fault == "wrong id" and operation.name.startswith(("list", "export", "delete"))
    )
    if not harmless:
        what = json.loads(json.dumps(FAULTS[fault]).replace("KEY", key))
        sandbox.faults.add(Fault(**what, **operation.requests[-1].which(scene.numbers), count=None))
    outcome = run_task(operation.operator(*scene.numbers), connections=connections, **operation.run_options)

    assert outcome.state == ("success" if harmless else "failed"), outcome.log
    leaks = [line for line in everything(outcome, sandbox, raw_logs).splitlines() if key[:9] in line]
    if fault in ECHOED_HEADER:
        leaks = [line for line in leaks if not line.startswith("httpcore")]
    assert not leaks


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])
def test_the_sensor_shows_no_key(sandbox, connections, key, raw_logs, fault, deferrable):
    number = sandbox.world.dasha.add_number("+15550100", steps=[(0, "Registering")])
    connections["dasha_default"]["extra"]["max_failed_polls"] = 2
    if FAULTS[fault]:
        what = json.loads(json.dumps(FAULTS[fault]).replace("KEY", key))
        sandbox.faults.add(Fault(**what, nth=2, count=None))
    task = DashaRegistrationSensor(
        task_id="wait", phone_number_ids=number, deferrable=deferrable, poke_interval=0.1, timeout=0.4
    )
    outcome = run_to_end(task, connections=connections)

    assert outcome.state == "failed"
    leaks = [line for line in everything(outcome, sandbox, raw_logs).splitlines() if key[:9] in line]
    if fault in ECHOED_HEADER:
        leaks = [line for line in leaks if not line.startswith("httpcore")]
    assert not leaks


@pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])
def test_a_registration_error_that_echoes_the_key(sandbox, connections, key, deferrable):
    number = sandbox.world.dasha.add_number("+15550100", steps=[(0, "Failed", f"Bearer {key} refused")])
    outcome = run_to_end(
        DashaRegistrationSensor(task_id="wait", phone_number_ids=number, deferrable=deferrable),
        connections=connections,
    )

    assert outcome.state == "failed"
    assert key not in str(outcome.error)


class TestRedirects:
    @pytest.fixture
    def elsewhere(self):
        """Another host, which notes what it is sent."""
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(dict(self.headers))
                self.send_response(200)
                self.end_headers()

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class calls them so

            def log_message(self, *_):
                """Say nothing."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}", asked
            server.shutdown()
            thread.join()

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_are_not_followed(self, sandbox, connections, elsewhere, operation, status):
        address, asked = elsewhere
        scene = Scene(operation, sandbox)
        # A task does without the reads that have another way to the same.
        needed = [request for request in operation.requests if request.ends.get("final") != "success"]
        which = needed[-1].which(scene.numbers)
        sandbox.faults.add(Fault("redirect", location=address, status=status, **which))
        outcome = run_task(
            operation.operator(*scene.numbers), connections=connections, **operation.run_options
        )

        assert outcome.state == "failed"
        assert "Redirects are not followed" in str(outcome.error)
        assert not asked

    @pytest.mark.parametrize(
        "location", ["mailto:x@y", "http://[", "//", "\x00", "javascript:alert(1)", "http://:99999"]
    )
    def test_to_nonsense_are_an_error_of_ours(self, connections, location):
        with _Canned(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n") as port:
            connections["dasha_default"].update(port=port)
            connections["dasha_default"]["extra"].update(max_retries=0)
            outcome = run_task(DashaListPhoneNumbersOperator(task_id="list"), connections=connections)

        assert type(outcome.error).__name__.startswith("Phonelink"), repr(outcome.error)


class _Canned:
    """A server that sends the same bytes to whoever comes."""

    def __init__(self, answer: str) -> None:
        self.answer = answer.encode("latin-1")

    def __enter__(self) -> int:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self.socket.getsockname()[1]

    def _serve(self) -> None:
        while True:
            client, _ = self.socket.accept()
            with client:
                if not client.recv(65536):
                    return
                client.sendall(self.answer)

    def __exit__(self, *_) -> None:
        socket.create_connection(self.socket.getsockname()).close()
        self.thread.join()
        self.socket.close()


@pytest.mark.parametrize(
    "body",
    [
        '{"title": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"error": ' * 1000,
        "\x80\xff" * 300,
        '{"title": "\\ud800"}',
        "0",
        "true",
    ],
    ids=["long number", "deep list", "deep object", "no text", "half a character", "zero", "true"],
)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Bad", "299 Odd", "999 Odd"])
def test_hostile_bodies_are_errors_of_ours(connections, body, status):
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with _Canned(answer) as port:
        connections["dasha_default"].update(port=port)
        connections["dasha_default"]["extra"].update(max_retries=0)
        outcome = run_task(DashaListPhoneNumbersOperator(task_id="list"), connections=connections)

    assert type(outcome.error).__name__.startswith("Phonelink"), repr(outcome.error)


FORGED = "x\r\n2026-01-01 ERROR forged\x1b[31m\x00\u2028line\u202e"


class TestForgedLines:
    def assert_one_line(self, outcome):
        text = f"{outcome.error}\n{outcome.log}"
        assert not [line for line in text.splitlines() if line.startswith("2026-01-01 ERROR forged")]
        assert "\x1b" not in text
        assert "\x00" not in text
        assert "\u202e" not in text

    def test_an_error_text(self, sandbox, connections):
        body = json.dumps({"title": FORGED, "detail": FORGED})
        sandbox.faults.add(Fault("status", status=400, body=body))
        self.assert_one_line(run_task(DashaListPhoneNumbersOperator(task_id="list"), connections=connections))

    def test_a_name_that_is_kept(self, sandbox, connections):
        sandbox.world.dasha.add_number("+15550100", CREDENTIALS, display_name=FORGED)
        task = DashaCreatePhoneNumberOperator(
            task_id="create", phone_number="+15550100", credentials_id=CREDENTIALS, display_name="mine"
        )
        self.assert_one_line(run_task(task, connections=connections))

    @pytest.mark.parametrize("if_linked", ["replace", "fail"])
    def test_an_agent_that_has_the_number(self, sandbox, connections, if_linked):
        number = sandbox.world.dasha.add_number("+15550100", CREDENTIALS, inbound=FORGED)
        task = DashaLinkPhoneNumberOperator(
            task_id="link", phone_number_id=number, agent_id=AGENT, if_linked=if_linked
        )
        self.assert_one_line(run_task(task, connections=connections))

    def test_an_agent_that_has_taken_the_number_between_two_tries(self, sandbox, connections):
        number = sandbox.world.dasha.add_number("+15550100", CREDENTIALS)
        sandbox.faults.meanwhile(lambda world: world.dasha.link(number, FORGED), method="GET", nth=2)
        sandbox.faults.add(Fault("drop", method="PUT"))
        task = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
        self.assert_one_line(run_task(task, connections=connections))

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_a_registration(self, sandbox, connections, deferrable):
        steps = [(0, "Registering" + FORGED), (0.2, "Failed", FORGED, FORGED)]
        number = sandbox.world.dasha.add_number("+1555" + FORGED, steps=steps)
        task = DashaRegistrationSensor(
            task_id="wait", phone_number_ids=number, deferrable=deferrable, poke_interval=0.1
        )
        self.assert_one_line(run_to_end(task, connections=connections))
