"""
The vendors: the one list that assets, hooks, the provider's metadata, the command line and the sandbox read.

To add a vendor, add files in folders of its own and one entry here; no shared code names a vendor. Airflow reads the
metadata in each of its processes, so this module imports nothing but the standard library: the parts of a vendor are
given by their location, ``module:name``, and :func:`load` imports them when they are needed.
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
    """One vendor, and the locations of its parts."""

    #: The connection type, which is also the vendor's part of the URIs of assets.
    key: str
    #: The name that people know.
    name: str
    docs_url: str
    #: The address of the API, unless a connection has another one.
    base_url: str
    #: The hook, a :class:`~airflow_provider_phonelink.hooks.vendor.VendorHook`.
    hook: str
    #: The settings of a client, an :class:`~airflow_provider_phonelink.api.settings.Settings`.
    settings: str
    #: How links are read and changed, a :class:`~airflow_provider_phonelink.promises.routing.Routing`.
    routing: str
    #: How the command line lists numbers, a :class:`~airflow_provider_phonelink.cli.lists.Table`.
    number_table: str
    #: Likewise for agents and SIP credentials; None for a vendor that has no such list.
    agent_table: str | None = None
    credentials_table: str | None = None
    #: Its part of the sandbox, a :class:`~airflow_provider_phonelink.sandbox.world.StandIn`; None if it has none. Its
    #: endpoints are in the module ``endpoints`` beside it, which alone needs a web framework.
    stand_in: str | None = None
    #: A flow that looks once at the registrations of numbers; None for a vendor without registrations.
    registrations: str | None = None
    #: A flow that reads all numbers with their links, as a :class:`~airflow_provider_phonelink.decisions.fleet.Fleet`;
    #: None for a vendor whose numbers the page "Phone numbers" cannot show.
    fleet: str | None = None
    #: What ``phonelink doctor`` looks at, an :class:`~airflow_provider_phonelink.doctor.examination.Examination`; None
    #: if it looks at the connection alone.
    examination: str | None = None
    #: The modules to list in the provider's metadata, by kind: ``operators``, ``sensors``, ``triggers``.
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The extras that only this vendor's connections have, as :func:`connection_field` describes them.
    connection_fields: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def default_conn_id(self) -> str:
        """The id of the connection that is used if none is given."""
        return f"{self.key}_default"


def connection_field(label: str, kind: str, description: str, **schema: Any) -> dict[str, Any]:
    """
    Describe an extra for the connection form.

    :param kind: The JSON type, such as ``string``.
    :param schema: Further entries of the JSON schema, such as ``minimum``.
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
    agent_table=f"{_PACKAGE}.cli.dasha:AGENTS",
    credentials_table=f"{_PACKAGE}.cli.dasha:CREDENTIALS",
    stand_in=f"{_PACKAGE}.sandbox.dasha:STAND_IN",
    registrations=f"{_PACKAGE}.promises.dasha.wait:look_by_the_connections_rules",
    fleet=f"{_PACKAGE}.promises.dasha.fleet:read_fleet",
    examination=f"{_PACKAGE}.doctor.dasha:EXAMINATION",
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
        "outbound_uses": connection_field(
            "Outbound uses",
            "string",
            "Words by which the vendor calls an outbound link. Default: outbound, replaceOutbound.",
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
    agent_table=f"{_PACKAGE}.cli.callingbox:AGENTS",
    stand_in=f"{_PACKAGE}.sandbox.callingbox:STAND_IN",
    fleet=f"{_PACKAGE}.promises.callingbox.fleet:read_fleet",
    examination=f"{_PACKAGE}.doctor.callingbox:EXAMINATION",
    modules={"operators": (f"{_PACKAGE}.operators.callingbox",)},
    connection_fields={
        "attach_body_key": connection_field(
            "Attach body key",
            "string",
            "Field that carries the number's id when attaching. Default: number_id.",
        ),
    },
)

#: All vendors; the first one is the default. Read this as an attribute of the module, and never import the name itself.
VENDORS: tuple[Vendor, ...] = (DASHA, CALLINGBOX)


def find(key: str | None) -> Vendor | None:
    """Return the vendor with a key (its connection type); None if there is none."""
    return next((vendor for vendor in VENDORS if vendor.key == key), None)


def keys() -> tuple[str, ...]:
    """Return the keys of all vendors."""
    return tuple(vendor.key for vendor in VENDORS)


def load(where: str) -> Any:
    """Import a part of a vendor by its location, ``module:name``."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
