"""Turn an Airflow connection into a client's settings, or say what is wrong with it."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from airflow_provider_phonelink.api.errors import ConfigurationError
from airflow_provider_phonelink.api.proxies import is_loopback
from airflow_provider_phonelink.api.redaction import SHORTEST_SECRET

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from pydantic import ValidationError

    from airflow_provider_phonelink.api.settings import Settings


SettingsT = TypeVar("SettingsT", bound="Settings")

#: The rest of a URI that begins with a colon and no port: with a key and no address after it.
_NO_HOST = re.compile(r":(?![0-9]*([/?#]|$))")
#: Settings that come from the connection's own fields, not from its extras.
_NOT_EXTRAS = frozenset({"base_url", "api_key", "source"})


def not_encoded(conn_id: str) -> str | None:
    """
    Return why Airflow cannot read the variable that has a connection, if it is a URI whose key is not encoded.

    Airflow says of such a connection that it is not there, or that it has no password.

    :return: Sentences without any part of the key; None if there is no such variable, or nothing wrong with its key.
    """
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    try:
        found = os.environ.get(variable, "")
    except UnicodeEncodeError:  # half a character, which no variable's name can have
        return None
    rest = "" if found.lstrip().startswith("{") else found.partition("://")[2]
    user, at, _ = rest.rpartition("@")
    if at and not any(character in user for character in "/?#@[]"):
        return None
    if not at and not _NO_HOST.match(rest):
        return None
    return (
        f"{variable} is set, but Airflow cannot read it as a URI with a key: most likely the key has a `/`, `?`, `#`, "
        "`@`, `[` or `]` in it, which has to be percent-encoded there (`/` as %2F), or is not followed by an `@`. As "
        f"""JSON a connection needs no encoding: {variable}='{{"conn_type": "...", "password": "..."}}'."""
    )


def settings_of(connection: Connection, settings_class: type[SettingsT]) -> SettingsT:
    """
    Return the settings that a connection describes.

    :raises ConfigurationError: If the key, the host or an extra cannot be used; the message says which, and what to
        do.
    """
    from pydantic import SecretStr, ValidationError

    source = f"Connection '{connection.conn_id}'"
    try:
        # First: without a key, a part of it may be in any other field, and messages about those would show it.
        api_key = SecretStr(_api_key(connection.password))
        settings = settings_class(
            base_url=base_url(
                connection.host, connection.schema, connection.port, settings_class.default_base_url
            ),
            api_key=api_key,
            source=source,
            **_extras(connection.extra, settings_class),
        )
        _refuse_plain_http(settings)
    except ValidationError as error:
        # Without a cause: pydantic's error may show a secret.
        raise ConfigurationError(f"{source}: {_explained(error)}. Nothing was sent.") from None
    except ValueError as error:
        why = not_encoded(str(connection.conn_id))
        raise ConfigurationError(f"{source}: {error} {f'{why} ' if why else ''}Nothing was sent.") from None
    return settings


def base_url(host: str | None, schema: str | None, port: int | None, default: str) -> str:
    """
    Build the base URL from a connection's fields.

    :param host: A host name, or a URL of scheme, host and port.
    :param schema: ``http`` or ``https``; https if neither this nor the host has one.
    :param port: A port, if the host does not have one.
    :param default: The vendor's own address, used if the host is empty.
    """
    if not host or not host.strip():
        host = default
    text = host.strip()
    parts = _split(text if "://" in text else f"//{_bracketed(text)}")
    rest = parts.path.strip("/") or parts.query or parts.fragment
    _refuse_more_than_an_address(rest, parts.username, parts.hostname)
    scheme = _agreed("schema", parts.scheme, (schema or "").strip().lower()) or "https"
    if scheme not in ("http", "https"):
        raise ValueError("its address has a scheme that is not https (nor http, for a loopback address).")
    try:
        own_port = parts.port
    except ValueError:
        raise ValueError("the port in its host is not a number from 1 to 65535.") from None
    final_port = _agreed("port", own_port, port)
    if own_port == 0 or not 0 <= (final_port or 0) <= 65535:
        raise ValueError("its port is not a number from 1 to 65535.")
    name = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    return f"{scheme}://{name}" + (f":{final_port}" if final_port else "")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        pass  # its message shows the address, with the password that may be in it
    raise ValueError("its host is not a host name or URL.")


def _refuse_more_than_an_address(rest: str, username: str | None, hostname: str | None) -> None:
    if username is not None:
        raise ValueError("its host has a user or password in it; put the API key into the password field.")
    if rest:
        raise ValueError(
            "its host has a path or query; give the address only, such as https://host or https://host:8443."
        )
    if not hostname or not _is_host_name(hostname):
        raise ValueError("its host is not a host name or URL.")


def _is_host_name(hostname: str) -> bool:
    try:
        if ":" in hostname:  # from brackets, which Python 3.10 lets anything be in
            ipaddress.IPv6Address(hostname)
        hostname.encode("idna")
    except ValueError:
        return False
    return all(character.isalnum() or character in "-._:%" for character in hostname)


def _bracketed(text: str) -> str:
    """Let an IPv6 address be written without brackets."""
    return f"[{text}]" if text.count(":") > 1 and not text.startswith("[") and "@" not in text else text


def _agreed(name: str, first: Any, second: Any) -> Any:
    if first and second and first != second:
        raise ValueError(
            f"its host says {name} {_safe(first)}, its {name} field says {_safe(second)}; leave one of them empty."
        )
    return first or second


def _safe(value: Any) -> Any:
    """Return a port or a scheme of ours; anything else may be a part of a key that was not encoded in a URI."""
    return value if isinstance(value, int) or value in ("http", "https") else "something else"


def _refuse_plain_http(settings: Settings) -> None:
    parts = urlsplit(settings.base_url)
    if parts.scheme != "http" or settings.allow_http:
        return
    if settings.proxy:
        raise ValueError(
            "with plain http the proxy would read the API key; use https, or set the extra `allow_http` if that is "
            "really wanted. A loopback address is never reached through a proxy."
        )
    if not is_loopback(parts.hostname or ""):
        raise ValueError(
            "plain http would send the API key readable to anyone on the way; use https, or set the extra "
            "`allow_http` if that is really wanted."
        )


def _api_key(password: str | None) -> str:
    if not password or not password.strip():
        raise ValueError("its password is empty; put the vendor's API key there.")
    if password == "***":  # noqa: S105 - what Airflow 3.0 tests a saved connection with
        raise ValueError(
            "its password is '***', which is what Airflow shows in a secret's place; put the vendor's API key there."
        )
    if not password.isascii() or not password.isprintable() or " " in password:
        raise ValueError(
            "its password is no API key: there is white space or a non-ASCII character in it. In a URI, a `%` in a key "
            "is written as %25."
        )
    if len(password) < SHORTEST_SECRET:
        raise ValueError(
            f"its password is no API key: it has fewer than {SHORTEST_SECRET} characters, so it could not be kept out "
            "of logs."
        )
    return password


def _extras(extra: str | None, settings_class: type[Settings]) -> dict[str, Any]:
    """Read the extras that are known, and refuse others. Empty values count as not set, because forms send them."""
    try:
        extras = json.loads(extra) if extra and extra.strip() else {}
    except (ValueError, RecursionError):
        extras = None
    if not isinstance(extras, dict):
        raise ValueError("its extra is not a JSON object.")  # noqa: TRY004 - the text is wrong
    allowed = sorted(set(settings_class.model_fields) - _NOT_EXTRAS)
    if unknown := sorted(extras.keys() - set(allowed)):
        raise ValueError(f"unknown extra {', '.join(map(repr, unknown))}; known are {', '.join(allowed)}.")
    return {name: value for name, value in extras.items() if value not in (None, "")}


def _explained(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"extra `{detail['loc'][0]}`: {detail['msg']}" for detail in details)
