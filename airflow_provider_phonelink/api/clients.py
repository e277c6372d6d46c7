"""
Make the clients of httpx that a connection's settings ask for: authentication, TLS, proxy, limits.

This module and the senders are the only ones that import httpx.
"""

from __future__ import annotations

import logging
import os
import ssl
import stat
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from airflow_provider_phonelink import __version__
from airflow_provider_phonelink.api.bodies import ACCEPTED_ENCODING
from airflow_provider_phonelink.api.deadlines import BoundedNetwork
from airflow_provider_phonelink.api.errors import ConfigurationError
from airflow_provider_phonelink.api.proxies import is_loopback, proxy_of_the_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_phonelink.api.settings import Settings

#: The most connections that a client keeps open. All of them may be idle, because opening one costs more.
MOST_CONNECTIONS = 64

_log = logging.getLogger(__name__)


def new_client(settings: Settings, **own: Any) -> httpx.Client:
    """
    Make a client that blocks.

    :param own: Arguments of `httpx.Client` that go before ours.
    :raises ConfigurationError: If a file of certificates or the proxy cannot be used.
    """
    with _proxy_errors(settings):
        options = {**options_of(settings), **own}
        if "transport" not in options:
            options["transport"] = _bounded_transport(options, _proxy(settings))
        return httpx.Client(**options)


def new_async_client(settings: Settings, **own: Any) -> httpx.AsyncClient:
    """
    Make a client that awaits.

    :param own: Arguments of `httpx.AsyncClient` that go before ours.
    :raises ConfigurationError: If a file of certificates or the proxy cannot be used.
    """
    with _proxy_errors(settings):
        return httpx.AsyncClient(**{**options_of(settings), **own}, proxy=_proxy(settings))


class _BearerAuth(httpx.Auth):
    """Adds the key to a request at the last moment, so that no client, request or log line has it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._settings.api_key.get_secret_value()}"
        yield request


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context of a connection; raises OSError if a file of certificates cannot be used."""
    if not settings.verify_ssl:
        _warn_of_no_verification(settings.source)
    files = [settings.ca_bundle] if settings.ca_bundle else [os.environ.get("SSL_CERT_FILE")]
    return _cached_ssl_context(settings.verify_ssl, settings.ca_bundle, *map(_stamp, filter(None, files)))


@lru_cache(maxsize=16)
def _cached_ssl_context(verify: bool, ca_bundle: str | None, *_: object) -> ssl.SSLContext:
    """Make a TLS context once for each state of its files: it costs more than the rest of a client."""
    if not verify:
        return httpx.create_ssl_context(verify=False)
    return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx.create_ssl_context()


def _stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file is renewed; raises OSError if it is no file, such as a pipe that would block."""
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a regular file")
    return path, found.st_mtime_ns, found.st_size


@cache
def _warn_of_no_verification(source: str) -> None:
    """Once a process for each connection."""
    _log.warning(
        "%s has `verify_ssl` off: whoever is between here and the vendor can read the API key and change numbers. "
        "Give the vendor's certificate in `ca_bundle` instead.",
        source,
    )


def options_of(settings: Settings) -> dict[str, Any]:
    """
    Return the arguments of a client, but for its proxy and transport.

    :raises ConfigurationError: If a file of certificates cannot be used.
    """
    try:
        context = tls_context(settings)
    except OSError as error:  # ssl.SSLError is one
        what = "the file in the extra `ca_bundle`" if settings.ca_bundle else "SSL_CERT_FILE"
        raise ConfigurationError(
            f"{settings.source}: {what} cannot be used ({error}). Nothing was sent."
        ) from None
    return {
        "auth": _BearerAuth(settings),
        "headers": {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
            "User-Agent": f"airflow-provider-phonelink/{__version__}",
        },
        "timeout": settings.timeout,
        "follow_redirects": False,
        "verify": context,
        "limits": httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        "trust_env": False,  # what the environment says of proxies is read in _proxy, of certificates above
    }


def _proxy(settings: Settings) -> str | None:
    """Return the proxy's URL for a client. It may have a password in it, so it must not be stored."""
    if is_loopback(urlsplit(settings.base_url).hostname or ""):
        return None
    if settings.proxy:
        return settings.proxy.get_secret_value()
    return proxy_of_the_environment(settings.base_url)


def _bounded_transport(options: Mapping[str, Any], proxy: str | None) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(
        verify=options["verify"], limits=options["limits"], proxy=proxy, trust_env=False
    )
    # httpx has no argument for it; tests show that it works on the oldest and the newest version allowed.
    pool: Any = transport._pool
    pool._network_backend = BoundedNetwork(pool._network_backend)
    return transport


@contextmanager
def _proxy_errors(settings: Settings) -> Iterator[None]:
    """Raise an error about the proxy if httpx cannot use it; the text of httpx may show the password."""
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL):
        pass
    else:
        return
    where = "extra `proxy`" if settings.proxy else "environment (HTTPS_PROXY or the like)"
    raise ConfigurationError(
        f"{settings.source}: the proxy in the {where} cannot be used. Use http://host:port or https://host:port. "
        "Nothing was sent."
    )
