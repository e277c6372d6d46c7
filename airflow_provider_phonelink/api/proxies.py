"""Which proxy a client goes through, if any."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_loopback(hostname: str) -> bool:
    """Return whether a host is this machine itself."""
    try:
        return hostname == "localhost" or ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def proxy_of_the_environment(base_url: str, proxies: Mapping[str, str] | None = None) -> str | None:
    """
    Return the proxy that the environment names for an address; None for a direct connection.

    ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` are honoured, in either case. Loopback never goes
    through a proxy: the key would leave the machine.

    :param base_url: Scheme, host and port.
    :param proxies: By scheme, with the exceptions under ``no``; the environment's, if not given.
    """
    found = getproxies_environment() if proxies is None else proxies
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    exceptions = found.get("no", "").replace(",", " ").split()
    if is_loopback(host) or any(_covers(item.lower(), host, port) for item in exceptions):
        return None
    proxy = found.get(parts.scheme) or found.get("all")
    return (proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def _covers(item: str, host: str, port: int | None) -> bool:
    """Return whether an item of ``NO_PROXY`` (a host, a domain, an address or a network) covers a host."""
    if item == "*":
        return True
    name, only_port = _without_port(item)
    if only_port not in ("", str(port)):
        return False
    try:
        network = ipaddress.ip_network(name, strict=False)
    except ValueError:
        domain = name.lstrip("*").lstrip(".")
        return host == domain or host.endswith(f".{domain}")
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:  # a name, which is not looked up only to compare it
        return False


def _without_port(item: str) -> tuple[str, str]:
    """Return a host or network, and its port, if it has one; an IPv6 address with a port is in brackets."""
    if item.startswith("["):
        name, _, port = item[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = item.partition(":")
    return (item, "") if ":" in port else (name, port)
