"""
The stand-in for CallingBox.

Its part of a seed:

    {
      "agents": [{"id": "agt_reception", "type": "inbound", "name": "Reception"}],
      "numbers": [{"id": "pn_1", "e164": "+15550100101", "agents": ["agt_reception"]}]
    }
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox.endpoints import AGENTS
from airflow_provider_phonelink.sandbox.world import StandIn, amount, choice, known
from airflow_provider_phonelink.vendors import CALLINGBOX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.sandbox.callingbox.world import CallingBox
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import Refused, World


@dataclass
class CallingBoxSwitches:
    """The answers to what CallingBox's documentation leaves open."""

    callingbox_attach_body_key: str = choice(
        "number_id", "numberId", "id", doc="The key of the attach body; any other is answered with 400."
    )
    callingbox_primary_body_key: str = choice(
        "number_id",
        "primary_number_id",
        "numberId",
        "id",
        doc="The key of the set-primary body; any other is answered with 400.",
    )
    callingbox_foreign_attach_status: int = choice(
        400, 409, doc="Status when the number is attached to a different inbound agent."
    )
    callingbox_attached_again_status: int = choice(
        200, 400, 409, doc="Status of an attach where the agent has the number already."
    )
    callingbox_detached_again_status: int = choice(
        404, 400, 409, 422, 200, doc="Status of a detach where the agent does not have the number."
    )
    callingbox_numbers_shape: str = choice(
        "array", "data", "data_has_more", doc="GET /v1/numbers: bare array, {data}, or {data, has_more}."
    )
    callingbox_first_number: str = choice(
        "primary", "plain", doc="Whether the first number attached becomes the agent's primary one."
    )
    callingbox_detached_primary: str = choice(
        "null", "next", doc="What becomes primary when the primary number is detached."
    )
    callingbox_error_shape: str = choice(
        "text",
        "object",
        "message",
        doc='{"error": "text"}, {"error": {"message": "text"}}, or {"message": "text"}.',
    )
    callingbox_sparse: bool = choice(
        False, True, doc="Answers carry next to nothing: agents id, name, type; numbers id, e164."
    )
    callingbox_no_outbound: str = choice(
        "list",
        "null",
        doc="`outbound_agent_ids` of a number without outbound agents: an empty list, or null.",
    )
    callingbox_plain_lists: str = choice(
        "whole",
        "paged",
        doc="Lists of numbers that have no `has_more`: everything at once whatever is asked for, or pages that "
        "end with an empty one.",
    )
    callingbox_agent_pages: bool = choice(
        False, True, doc="Whether GET /v1/agents pages as the numbers do, with `has_more`."
    )
    callingbox_page_size: float = amount(
        0.0,
        doc="How many items a page has when the request names no `limit` (0: as many as `page_cap` allows).",
    )
    callingbox_page_cap: float = amount(
        100.0, least=1.0, doc="How many items a page has at most, whatever `limit` is asked for."
    )
    callingbox_archived_agents: str = choice(
        "listed",
        "hidden",
        doc="Whether GET /v1/agents lists archived agents; by their id they can be read anyway.",
    )


DEMO: dict[str, Any] = {
    "agents": [
        {"id": "agt_reception", "type": "inbound", "name": "Reception"},
        {"id": "agt_reminders", "type": "outbound", "name": "Appointment reminders"},
    ],
    "numbers": [
        {"id": "pn_reception", "e164": "+15550100101", "agents": ["agt_reception"]},
        {"id": "pn_reminders", "e164": "+15550100102", "agents": ["agt_reminders"]},
        {"id": "pn_spare", "e164": "+15550100103"},
    ],
}


def open_account(world: World, _: str) -> CallingBox:
    """Return a new organisation's agents and numbers."""
    from airflow_provider_phonelink.sandbox.callingbox.world import CallingBox

    return CallingBox(clock=world.clock, switches=world.switches, lock=world.lock)


def plant(world: World, seed: Mapping[str, Any]) -> None:
    """Add the contents of a seed."""
    known(CALLINGBOX.key, seed, {"agents", "numbers"})
    account = world.account(CALLINGBOX.key)
    for agent in seed.get("agents", ()):
        account.add_agent(**agent)
    for number in seed.get("numbers", ()):
        account.add_number(**number)


def error(refused: Refused, _: str, switches: Switches) -> tuple[bytes, str]:
    """Return an error in the shape that the switch selects."""
    told: dict[str, dict[str, Any]] = {
        "text": {"error": refused.detail},
        "object": {"error": {"message": refused.detail}},
        "message": {"message": refused.detail},
    }
    return json.dumps(told[switches.callingbox_error_shape]).encode(), "application/json"


STAND_IN = StandIn(
    vendor=CALLINGBOX,
    prefix="/v1/",
    api_key="sk_sandbox_key",
    switches=CallingBoxSwitches,
    open=open_account,
    plant=plant,
    demo=DEMO,
    error=error,
    resource=f"{AGENTS}/[^/]+",
)
