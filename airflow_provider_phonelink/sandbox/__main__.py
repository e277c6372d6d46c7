"""The sandbox on the command line: `python -m airflow_provider_phonelink.sandbox --seed demo`."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING

from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.server import HOST, Sandbox
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import stand_ins

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sandbox until it is interrupted or terminated."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        seed = seeds.load(options.seed) if options.seed else None
        sandbox = Sandbox(
            port=options.port,
            seed=seed,
            switches=dict(map(Switches.parse, options.set)),
            **{f"{key}_key": getattr(options, f"api_key_{key}") for key in stand_ins()},
        )
    except (OSError, ValueError, TypeError) as error:
        parser.error(str(error))
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        sandbox.start()
    except OSError as error:
        parser.error(f"cannot listen on port {options.port}: {error}")
    print(_welcome(sandbox), flush=True)
    stopped.wait()
    sandbox.stop()
    print("Sandbox stopped.", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    vendors = " and ".join(vendor.title for vendor in stand_ins().values())
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_phonelink.sandbox",
        description=f"A stand-in for {vendors}, with real state, on the loopback interface.",
        epilog="Switches: "
        + "; ".join(f"{name}={'|'.join(map(str, v))}" for name, v in Switches.choices().items()),
    )
    parser.add_argument("--host", type=_loopback, default=HOST, help="only %(default)s is served")
    parser.add_argument("--port", type=_port, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--seed", help="a JSON file with what to start with, or `demo`")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SWITCH=VALUE", help="decide undocumented behaviour"
    )
    for key, vendor in stand_ins().items():
        parser.add_argument(f"--api-key-{key}", default=vendor.api_key, metavar="KEY")
    return parser


def _loopback(host: str) -> str:
    if host not in (HOST, "localhost"):
        raise argparse.ArgumentTypeError(f"the sandbox serves {HOST} only: it has no real keys and no TLS")
    return HOST


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _welcome(sandbox: Sandbox) -> str:
    lines = [
        f"phonelink sandbox: {sandbox.url}",
        f"Endpoints:         {sandbox.url}/docs",
        "",
        "In the shell that runs Airflow:",
        "",
    ]
    for id_, connection in sandbox.connections.items():
        lines.append(f"export AIRFLOW_CONN_{id_.upper()}={shlex.quote(json.dumps(connection))}")
    return "\n".join([*lines, "", "Stop with Ctrl+C."])


if __name__ == "__main__":
    sys.exit(main())
