"""What connects an organisation with the telephone network: its SIP credentials, and providers with their trunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


@dataclass(frozen=True)
class CredentialsRecord:
    """SIP credentials as they are stored. The vendor shows the password to whoever may read them."""

    id: str
    organisation: str
    server: str
    auth_user: str
    auth_password: str = field(repr=False)
    transport: str = "udp"
    source: str = "manual"
    domain: str | None = None
    description: str | None = None
    cps_limit: int | None = None
    cps_key: str | None = None
    provider_id: str | None = None


class Trunks:
    """
    One organisation's credentials and providers.

    :param organisation: its id.
    :param lock: guards all state of the sandbox; every public method takes it.
    """

    def __init__(self, organisation: str, lock: AbstractContextManager[object]) -> None:
        self.credentials: dict[str, CredentialsRecord] = {}
        #: The kind of each provider, by its id.
        self.providers: dict[str, str] = {}
        #: The phone numbers that each provider's trunk leads here, by their ids.
        self.numbers: dict[str, dict[str, str]] = {}
        self._organisation = organisation
        self._lock = lock

    def page(self, skip: int, take: int) -> tuple[list[CredentialsRecord], int]:
        """Return one page of the credentials, and how many there are."""
        with self._lock:
            return list(self.credentials.values())[skip : skip + take], len(self.credentials)

    def get_credentials(self, credentials_id: str) -> CredentialsRecord:
        """Return SIP credentials, the password included."""
        with self._lock:
            try:
                return self.credentials[credentials_id]
            except KeyError:
                raise Refused(404, f"SIP credentials '{credentials_id}' were not found.") from None

    def get_provider(self, provider_id: str) -> str:
        """Return which kind a provider is."""
        with self._lock:
            try:
                return self.providers[provider_id]
            except KeyError:
                raise Refused(404, f"Provider '{provider_id}' was not found.") from None

    def add_credentials(
        self,
        id: str | None = None,  # noqa: A002 - the vendor's word
        *,
        server: str = "sip.trunk.example",
        auth_user: str = "trunk-user",
        auth_password: str = "trunk-password",  # noqa: S107 - made up
        **fields: Any,
    ) -> str:
        """Add SIP credentials, and return their id. Numbers bring their own if they name unknown ones."""
        with self._lock:
            credentials_id = str(UUID(id) if id else uuid4())
            self.credentials[credentials_id] = CredentialsRecord(
                credentials_id, self._organisation, server, auth_user, auth_password, **fields
            )
            return credentials_id

    def add_provider(self, kind: str = "twilio", *, id: str | None = None) -> str:  # noqa: A002 - the vendor's word
        """Add a provider that manages numbers, and return its id. Numbers bring one that is Twilio."""
        with self._lock:
            provider_id = str(UUID(id) if id else uuid4())
            self.providers[provider_id] = kind
            return provider_id

    def connected(self, provider_id: str) -> list[str]:
        """Return the phone numbers that a provider's trunk leads here, whether or not they still exist."""
        with self._lock:
            return list(self.numbers.get(provider_id, {}).values())

    def connect(self, provider_id: str, number_id: str, phone_number: str) -> None:
        """Let a provider's trunk lead a number here; a provider that nobody has told of is Twilio."""
        with self._lock:
            self.providers.setdefault(provider_id, "twilio")
            self.numbers.setdefault(provider_id, {})[number_id] = phone_number

    def disconnect(self, provider_id: str, number_id: str) -> None:
        """Take a number off a provider's trunk."""
        with self._lock:
            self.numbers[provider_id].pop(number_id, None)

    def snapshot(self) -> Callable[[], None]:
        """Save the state, and return a function that restores it."""
        with self._lock:
            credentials, providers = dict(self.credentials), dict(self.providers)
            numbers = {provider: dict(connected) for provider, connected in self.numbers.items()}

        def restore() -> None:
            with self._lock:
                self.credentials, self.providers, self.numbers = credentials, providers, numbers

        return restore
