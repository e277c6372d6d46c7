"""Run a command: provide its hook, and print an error as one clear line."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.errors import ConfigurationError, PhonelinkError
from airflow_provider_phonelink.api.text import visible
from airflow_provider_phonelink.cli.output import only_results_on_stdout
from airflow_provider_phonelink.compat import AirflowException, AirflowNotFoundException, BaseHook
from airflow_provider_phonelink.hooks.connection import not_encoded

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from airflow_provider_phonelink.hooks.vendor import VendorHook

IN_SYNC = 0
ERROR = 1
DRIFT = 2
INTERRUPTED = 130


def run(function: str, options: argparse.Namespace) -> int:
    """
    Run a command and return its exit code.

    :param function: The location of the command, ``module:function``. It is called with the options and returns an
        exit code.
    """
    module, _, name = function.partition(":")
    command: Callable[[Any], int] = getattr(import_module(module), name)
    # As in Airflow's own commands, so that connections are also looked up in its database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        with only_results_on_stdout(), _quiet_logs():
            code = command(options)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the process that reads our output has ended
        return ERROR
    except (PhonelinkError, AirflowException) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    return code


def complain(message: str) -> int:
    """Print an error, in one line, and return the exit code for it."""
    print(f"phonelink: error: {visible(' '.join(message.split()))}", file=sys.stderr)
    return ERROR


def hook_of(conn_id: str, *, max_retries: int | None = None) -> VendorHook[Any]:
    """Return the hook for a connection, by the connection's type."""
    try:
        conn_type = BaseHook.get_connection(conn_id).conn_type
    except AirflowNotFoundException:
        if why := not_encoded(conn_id):
            raise ConfigurationError(
                f"There is no connection '{conn_id}' that can be read. Nothing was sent. {why}"
            ) from None
        first, *others = vendors.keys()
        also = f" (or --conn-type {' or '.join(others)})" if others else ""
        raise ConfigurationError(
            f"There is no connection '{conn_id}'. Nothing was sent. Add it with `airflow connections add {conn_id} "
            f"--conn-type {first} --conn-password <API key>`{also}, or name another one with --conn-id."
        ) from None
    vendor = vendors.find(conn_type)
    if vendor is None:
        raise ConfigurationError(
            f"Connection '{conn_id}' is of type '{conn_type}', not {' or '.join(vendors.keys())}. Nothing was sent."
        )
    hook: VendorHook[Any] = vendors.load(vendor.hook)(conn_id, max_retries=max_retries)
    return hook


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Show the client's warnings, such as failed tries, and nothing else."""
    log = logging.getLogger("airflow_provider_phonelink")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("phonelink: %(message)s"))
    propagates, log.propagate = log.propagate, False
    log.addHandler(handler)
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        log.removeHandler(handler)
        log.propagate = propagates
