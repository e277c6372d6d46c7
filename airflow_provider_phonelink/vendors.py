"""
The vendors: the one list that assets, hooks, the provider's metadata, the command line and the sandbox read.

Adding a vendor takes files in folders of its own and one entry here; no shared code names a vendor. Airflow reads the
metadata in every one of its processes, so this imports nothing but the standard library: what a vendor has is named
by where it is, as ``module:name``, and imported by :func:`load` when it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One vendor, and where what it has can be found."""

    #: Its connection type, and its place in the URIs of assets.
    key: str
    #: What people call it.
    name: str
    docs_url: str
    #: Where its API is, unless a connection says otherwise.
    base_url: str
    #: Its hook, a :class:`~airflow_provider_phonelink.hooks.vendor.VendorHook`.
    hook: str
    #: The settings of its client, an :class:`~airflow_provider_phonelink.api.settings.Settings`.
    settings: str
    #: How its links are read and changed, a :class:`~airflow_provider_phonelink.promises.routing.Routing`.
    routing: str
    #: How the command line lists its numbers, a :class:`~airflow_provider_phonelink.cli.numbers.NumberTable`.
    number_table: str
    #: A flow that looks once at the registrations of numbers; None for a vendor without registrations.
    registrations: str | None = None
    #: Modules that Airflow should know: ``operators``, ``sensors``, ``triggers``.
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The extras that only its connections have, as :func:`connection_field` describes them.
    connection_fields: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def default_conn_id(self) -> str:
        """The connection that is used where none is named."""
        return f"{self.key}_default"


def connection_field(label: str, kind: str, description: str, **schema: Any) -> dict[str, Any]:
    """
    Describe an extra for the connection form.

    :param kind: Its JSON type, such as ``string``.
    :param schema: What else its JSON schema says, such as ``minimum``.
    """
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


DASHA = Vendor(
    key="dasha",
    name="Dasha BlackBox",
    docs_url="https://docs.dasha.ai",
    base_url="https://blackbox.dasha.ai",
    hook=f"{_PACKAGE}.hooks.dasha:DashaHook",
    settings=f"{_PACKAGE}.api.dasha.settings:DashaSettings",
    routing=f"{_PACKAGE}.promises.dasha.routing:ROUTING",
    number_table=f"{_PACKAGE}.cli.dasha:NUMBERS",
    registrations=f"{_PACKAGE}.promises.dasha.wait:look_by_the_connections_rules",
    modules={
        "operators": (f"{_PACKAGE}.operators.dasha",),
        "sensors": (f"{_PACKAGE}.sensors.dasha",),
        "triggers": (f"{_PACKAGE}.triggers.dasha",),
    },
    connection_fields={
        "active_states": connection_field(
            "Active states",
            "string",
            "Registration states that count as active. Default: Registered, Active.",
        ),
        "failed_states": connection_field(
            "Failed states",
            "string",
            "Registration states that count as failed. Default: Failed, Error, Rejected.",
        ),
        "check_expiry": connection_field(
            "Check expiry", "boolean", "Whether an active state counts only until it expires.", default=True
        ),
    },
)

CALLINGBOX = Vendor(
    key="callingbox",
    name="CallingBox",
    docs_url="https://docs.callingbox.io",
    base_url="https://api.callingbox.io",
    hook=f"{_PACKAGE}.hooks.callingbox:CallingBoxHook",
    settings=f"{_PACKAGE}.api.callingbox.settings:CallingBoxSettings",
    routing=f"{_PACKAGE}.promises.callingbox.routing:ROUTING",
    number_table=f"{_PACKAGE}.cli.callingbox:NUMBERS",
    modules={"operators": (f"{_PACKAGE}.operators.callingbox",)},
    connection_fields={
        "attach_body_key": connection_field(
            "Attach body key",
            "string",
            "Field that carries the number's id when attaching. Default: number_id.",
        ),
    },
)

#: All vendors. The first one is meant where none is named. Read it through this module, never import the name itself.
VENDORS: tuple[Vendor, ...] = (DASHA, CALLINGBOX)


def find(key: str | None) -> Vendor | None:
    """Return the vendor of that key, which is its connection type; None if there is none."""
    return next((vendor for vendor in VENDORS if vendor.key == key), None)


def keys() -> tuple[str, ...]:
    """Return the keys of all vendors."""
    return tuple(vendor.key for vendor in VENDORS)


def load(where: str) -> Any:
    """Return what is at a place, written ``module:name``."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
