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
    if is_loopback(host) or any(_covers(item, host, parts.port) for item in found.get("no", "").split(",")):
        return None
    proxy = found.get(parts.scheme) or found.get("all")
    return (proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def _covers(item: str, host: str, port: int | None) -> bool:
    """Return whether an item of ``NO_PROXY`` (a host, a domain, an address or a network) covers a host."""
    item = item.strip().lower()
    if item in ("", "*"):
        return item == "*"
    try:
        network = ipaddress.ip_network(item.strip("[]"), strict=False)
    except ValueError:
        name, _, only_port = item.partition(":")
        domain = name.lstrip("*").lstrip(".")
        return only_port in ("", str(port)) and (host == domain or host.endswith(f".{domain}"))
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:  # a name, which is not looked up only to compare it
        return False
