"""The sandbox as a server in a thread of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import time
from copy import deepcopy
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal

import uvicorn

from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.app import build_app
from airflow_provider_phonelink.sandbox.exchange import Stand
from airflow_provider_phonelink.sandbox.gate import Gate
from airflow_provider_phonelink.sandbox.journal import Journal
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import HOME, World, stand_ins

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from airflow_provider_phonelink.sandbox.faults import Faults

HOST = "127.0.0.1"
START_SECONDS = 10.0


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


class Sandbox:
    """
    A stand-in for the vendors, on a port of the loopback interface.

        with Sandbox(seed="demo") as sandbox:
            httpx.get(f"{sandbox.url}/v1/agents", headers={"Authorization": f"Bearer {sandbox.callingbox_key}"})

    :param port: the port; 0 takes a free one.
    :param seed: what to start with: a seed document, the path of one, or `demo`. Nothing, if not given.
    :param switches: how undocumented behaviour is decided (see `Switches`).
    :param journal_cap: how many requests the journal keeps.
    :param keys: the API keys that the vendors' endpoints accept, as `dasha_key`, `callingbox_key`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: Mapping[str, Any] | str | None = None,
        switches: Mapping[str, Any] | None = None,
        journal_cap: int = 20_000,
        **keys: str,
    ) -> None:
        self._seed = deepcopy(dict(seeds.load(seed) if isinstance(seed, str) else seed or {}))
        self._settings = dict(switches or {})
        if strange := set(keys) - {f"{vendor}_key" for vendor in stand_ins()}:
            raise TypeError(f"a sandbox takes no {', '.join(sorted(strange))}")
        self._own_keys = {key: keys.get(f"{key}_key", vendor.api_key) for key, vendor in stand_ins().items()}
        self._keys: dict[str, str] = {}
        self._port = port
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self._stand = Stand(World(Switches()), Journal(journal_cap))
        self._app = build_app(self._stand, self.reset)
        self._gate = Gate(self._app, self._stand)
        self.reset()

    # What it is made of

    @property
    def world(self) -> World:
        """The vendors' state."""
        return self._stand.world

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self._stand.faults

    @property
    def journal(self) -> Journal:
        """What has been asked."""
        return self._stand.journal

    @property
    def switches(self) -> Switches:
        """How undocumented behaviour is decided."""
        return self._stand.world.switches

    def __getattr__(self, name: str) -> Any:
        """Return `dasha_key`, the API key that Dasha's endpoints accept, or `dasha_url`; likewise of each vendor."""
        vendor, _, what = name.rpartition("_")
        if vendor in stand_ins() and what in ("key", "url"):
            return self._keys[vendor] if what == "key" else self.url
        raise AttributeError(f"a sandbox has no attribute {name!r}")

    # Where it is

    @property
    def port(self) -> int:
        """The port, once started."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL; one port serves all vendors, whose paths differ."""
        return f"http://{HOST}:{self._port}"

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """The Airflow connections, by id, as JSON for `AIRFLOW_CONN_...`."""
        place = {"host": HOST, "schema": "http", "port": self._port}
        return {
            f"{vendor}_default": {"conn_type": vendor, **place, "password": key}
            for vendor, key in self._keys.items()
        }

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return self._app.openapi()

    # What a test does with it

    def set(self, **switches: Any) -> None:
        """Settle undocumented behaviour otherwise, until the next reset."""
        self.switches.update(**switches)

    def change_key(self, vendor: str, key: str) -> None:
        """Let a vendor accept another key instead of the one so far, until the next reset."""
        self._stand.access.revoke(vendor, self._keys[vendor])
        self._keys[vendor] = key
        self._stand.access.allow(vendor, key, HOME)

    def allow_key(self, vendor: str, key: str, organisation: str = HOME) -> None:
        """Let a vendor accept a further key, for any organisation."""
        self._stand.access.allow(vendor, key, organisation)

    def deny_key(self, vendor: str, key: str) -> None:
        """Let a vendor answer 403 to a key."""
        self._stand.access.deny(vendor, key)

    def reset(self) -> None:
        """Go back to how the sandbox started; requests that hang end."""
        stand = self._stand
        stand.epoch += 1
        stand.faults.clear()
        with stand.world.lock:
            stand.world.switches.update(**{**vars(Switches()), **self._settings})
            stand.world.reset()
            seeds.plant(stand.world, self._seed)
        stand.access.clear()
        self._keys = dict(self._own_keys)
        for vendor, key in self._keys.items():
            stand.access.allow(vendor, key, HOME)
        stand.journal.clear()

    # Its life

    def start(self) -> Sandbox:
        """Start serving. A sandbox that was stopped comes back on the same port with the same state."""
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        self._server = server = _Server(_config(self._gate))
        self._stand.connections = lambda: server.server_state.connections
        self._thread = Thread(target=_serve, args=(server, listener), name="phonelink-sandbox", daemon=True)
        self._thread.start()
        self._await_ready(server, self._thread)
        return self

    def stop(self) -> None:
        """Stop serving; requests that hang end. The state stays."""
        if self._thread is None or self._server is None:
            return
        self._stand.epoch += 1
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def _await_ready(self, server: _Server, thread: Thread) -> None:
        end = time.monotonic() + START_SECONDS
        while not server.ready.wait(0.05):
            if not thread.is_alive() or time.monotonic() > end:
                self.stop()
                raise RuntimeError("the sandbox did not start; its thread says why")

    def __enter__(self) -> Sandbox:
        """Start serving."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()


def _listen(port: int) -> socket.socket:
    # With the protocol left out asyncio does not switch off Nagle's algorithm, and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def _http_library() -> Literal["httptools", "h11"]:
    return "httptools" if importlib.util.find_spec("httptools") else "h11"


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_http_library(),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,  # the gate sends the sandbox's own time
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[listener]))
