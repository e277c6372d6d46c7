"""
What a client needs to know: where the vendor is, the key, and how patient and how fast to be.

Field names are the names of the connection's extras; anything else in the extras is refused.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from airflow_provider_phonelink.api.redaction import SHORTEST_SECRET, Secrets

T = TypeVar("T")


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:  # the URL as a whole is a secret, too
        return None


class Settings(BaseModel):
    """Common to all vendors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    default_base_url: ClassVar[str]
    #: The part of the console's addresses that stands for numbers, as far as the API suggests it.
    console_numbers: ClassVar[str]

    base_url: str
    api_key: SecretStr
    #: How messages refer to the place that these settings come from, such as ``Connection 'production'``.
    source: str = "settings"

    #: Seconds that a try may take to connect, and then to answer; twice as many in total, however slow the answer.
    timeout: float = Field(10.0, ge=0.001, le=3600)
    #: Seconds after its first try until which a call may be repeated.
    total_timeout: float = Field(120.0, ge=0.001, le=86400)
    #: How often a call may be repeated.
    max_retries: int = Field(4, ge=0, le=100)
    #: Failed polls in a row after which a wait gives up.
    max_failed_polls: int = Field(10, ge=1, le=100_000)
    #: The most requests per second; None for no limit.
    requests_per_second: float | None = Field(None, ge=0.001, le=10_000)
    #: Whether the vendor's TLS certificate is verified.
    verify_ssl: bool = True
    #: A file with certificates to trust instead of the usual ones.
    ca_bundle: str | None = None
    #: The URL of an HTTP proxy. A password in it is treated as a secret.
    proxy: SecretStr | None = None
    #: Whether plain ``http://`` is allowed to hosts other than loopback.
    allow_http: bool = False
    #: Base URL of the vendor's web console, for links in the Airflow UI; where its pages are not at
    #: ``<base>/<kind>/<id>``, a URL with ``{kind}`` and ``{id}`` in it.
    console_url: str | None = None

    @field_validator("api_key")
    @classmethod
    def _fits_into_a_header(cls, key: SecretStr) -> SecretStr:
        value = key.get_secret_value()
        if not value.isascii() or not value.isprintable() or " " in value or not value:
            raise ValueError("is empty, or has white space or a non-ASCII character in it")
        if len(value) < SHORTEST_SECRET:
            raise ValueError(
                f"has fewer than {SHORTEST_SECRET} characters, too few to be told apart from other text"
            )
        return key

    @field_validator("console_url")
    @classmethod
    def _leads_to_pages(cls, url: str | None) -> str | None:
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.netloc or "@" in parts.netloc:
            raise ValueError("is no address of a web console, such as https://console.example")
        if {"{", "}"} & set(url.replace("{kind}", "").replace("{id}", "")):
            raise ValueError("has other placeholders than {kind} and {id}")
        return url

    def number_in_console(self, number_id: str) -> str:
        """Return the address of a number's page in the console; empty if there is no ``console_url``."""
        return self._in_console(self.console_numbers, number_id)

    def agent_in_console(self, agent_id: str) -> str:
        """Return the address of an agent's page in the console; empty if there is no ``console_url``."""
        return self._in_console("agents", agent_id)

    def _in_console(self, kind: str, identifier: str) -> str:
        if not self.console_url or not identifier:
            return ""
        pattern = (
            self.console_url
            if "{id}" in self.console_url
            else f"{self.console_url.rstrip('/')}/{{kind}}/{{id}}"
        )
        # Replaced rather than formatted: a format can reach into objects and ask for gigabytes.
        return pattern.replace("{kind}", kind).replace("{id}", quote(identifier, safe=""))

    def understood(self, answer: T) -> T:
        """Return an answer, read by what the connection says of the vendor's words."""
        return answer

    @property
    def secrets(self) -> Secrets:
        """The strings that must never be shown."""
        proxy = self.proxy.get_secret_value() if self.proxy else ""
        return Secrets(self.api_key.get_secret_value(), proxy, _password(proxy))
