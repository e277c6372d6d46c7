"""
Assets, on which a DAG can be scheduled so that it runs when a link changes.

Each number, and each side of each agent, is an asset of its own::

    phonelink://dasha/numbers/<number id>
    phonelink://dasha/agents/<agent id>/inbound     the numbers that the agent answers
    phonelink://dasha/agents/<agent id>/outbound    the number that the agent calls out with: its caller ID

and likewise under ``phonelink://callingbox``. Airflow calls :func:`normalise` for every such URI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, unquote
from uuid import UUID

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.uuids import plain_id

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import Asset

SCHEME = "phonelink"
Side: TypeAlias = Literal["inbound", "outbound"]

_SIDES = ("inbound", "outbound")
#: The vendor that is meant where none is named.
_DEFAULT = vendors.VENDORS[0].key


def number_uri(number_id: str | UUID, vendor: str = _DEFAULT) -> str:
    """Return the URI of a number."""
    return f"{SCHEME}://{vendor}/numbers/{_segment(number_id)}"


def agent_uri(agent_id: str | UUID, side: str = "outbound", vendor: str = _DEFAULT) -> str:
    """Return the URI of one side of an agent."""
    return f"{SCHEME}://{vendor}/agents/{_segment(agent_id)}/{side}"


def number_asset(number_id: str | UUID, vendor: str = _DEFAULT) -> Asset:
    """
    Return the asset of a number, to schedule a DAG on. It gets an event whenever one of the number's links changes.

    :param number_id: The vendor's id of the number.
    :param vendor: ``dasha`` (default) or ``callingbox``.
    """
    from airflow.sdk import Asset

    return Asset(number_uri(number_id, vendor))


def agent_asset(agent_id: str | UUID, side: Side = "outbound", vendor: str = _DEFAULT) -> Asset:
    """
    Return the asset of one side of an agent, to schedule a DAG on.

    :param agent_id: The agent.
    :param side: ``outbound``: the agent's caller ID; ``inbound``: the numbers that it answers.
    :param vendor: ``dasha`` (default) or ``callingbox``.
    """
    from airflow.sdk import Asset

    return Asset(agent_uri(agent_id, side, vendor))


def normalise(parts: SplitResult) -> SplitResult:
    """
    Return a ``phonelink`` URI in its canonical form: vendor and uuids in lower case, ids escaped.

    :raises ValueError: If it is not the URI of a number or of a side of an agent.
    """
    vendor = parts.netloc.lower()
    kind, *rest = parts.path.strip("/").split("/")
    ids = [unquote(part) for part in rest]
    if parts.query or parts.fragment or not vendors.find(vendor) or not ids or not ids[0].strip():
        raise ValueError(f"not an asset of phonelink; the forms are {_forms()}")
    if kind == "numbers" and len(ids) == 1:
        path = f"/numbers/{_segment(ids[0])}"
    elif kind == "agents" and len(ids) == 2 and ids[1].lower() in _SIDES:
        path = f"/agents/{_segment(ids[0])}/{ids[1].lower()}"
    else:
        raise ValueError(f"not an asset of phonelink; the forms are {_forms()}")
    return parts._replace(netloc=vendor, path=path)


def _forms() -> str:
    start = f"{SCHEME}://<{'|'.join(vendors.keys())}>"
    return f"{start}/numbers/<id> or {start}/agents/<id>/<{'|'.join(_SIDES)}>"


def _segment(identifier: str | UUID) -> str:
    return quote(plain_id(str(identifier) if isinstance(identifier, UUID) else identifier), safe="")
