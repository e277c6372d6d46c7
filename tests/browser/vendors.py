"""What is typed into the form of each connection type, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox


@dataclass(frozen=True)
class Vendor:
    """A connection type."""

    conn_type: str
    name: str
    base_url: str
    description: str
    #: For each extra that is filled in, what is typed and what a hook then reads.
    extras: dict[str, tuple[str | bool, Any]]

    def key(self, sandbox: Sandbox) -> str:
        return {"dasha": sandbox.dasha_key, "callingbox": sandbox.callingbox_key}[self.conn_type]

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """What the provider's metadata says of the extras."""
        types = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}
        fields: dict[str, dict[str, Any]] = types[self.conn_type]["conn-fields"]
        return fields

    def typed(self) -> dict[str, str | bool]:
        """What is typed, by label."""
        return {self.fields[name]["label"]: typed for name, (typed, _) in self.extras.items()}

    def read(self) -> dict[str, Any]:
        """What a hook reads, by name."""
        return {name: read for name, (_, read) in self.extras.items()}


COMMON: dict[str, tuple[str | bool, Any]] = {
    "timeout": ("2.5", 2.5),
    "max_retries": ("2", 2),
    "requests_per_second": ("50", 50.0),
    "console_url": ("https://console.example", "https://console.example"),
}
DASHA = Vendor(
    "dasha",
    "Dasha BlackBox",
    "https://blackbox.dasha.ai",
    "Numbers of the support and sales lines",
    {
        **COMMON,
        "active_states": ("Registered, Online", ["Registered", "Online"]),
        "check_expiry": (False, False),
    },
)
CALLINGBOX = Vendor(
    "callingbox",
    "CallingBox",
    "https://api.callingbox.io",
    "Numbers of the reception",
    {**COMMON, "attach_body_key": ("phone_number_id", "phone_number_id"), "verify_ssl": (False, False)},
)
