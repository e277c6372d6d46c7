"""
The stand-in for Dasha BlackBox.

Its part of a seed:

    {
      "agents": {"agent-support": "Support line"},
      "numbers": [
        {"phone_number": "+15550100001", "credentials_id": "<uuid>", "display_name": "Support",
         "description": null, "registration": true, "provider_id": null,
         "inbound": "agent-support", "outbound": ["agent-campaign"],
         "steps": [{"after": 0, "state": "Registering"}, {"after": 2, "state": "Registered"}]}
      ],
      "plans": {"+15550100009": [{"after": 0, "state": "Registering"}, {"after": 1, "state": "Failed"}]},
      "linked_elsewhere": ["+15550100666"]
    }

`steps` and `plans` are scripts of `registration.Step`s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS
from airflow_provider_phonelink.sandbox.world import StandIn, amount, choice, known
from airflow_provider_phonelink.vendors import DASHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_phonelink.sandbox.dasha.registration import Step
    from airflow_provider_phonelink.sandbox.dasha.world import Organisation
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import Refused, World

TRUNK_A = str(uuid5(NAMESPACE_DNS, "trunk-a.example"))
TRUNK_B = str(uuid5(NAMESPACE_DNS, "trunk-b.example"))
REGISTERED = [{"after": 0, "state": "Registered"}]


@dataclass
class DashaSwitches:
    """The answers to what Dasha's documentation leaves open."""

    dasha_created_status: int = choice(201, 200, doc="Status of a successful create.")
    dasha_duplicate_status: int = choice(
        409, 400, 422, doc="Status when the pair (phoneNumber, credentialsId) is taken."
    )
    dasha_phone_filter: str = choice(
        "exact", "substring", doc="How the list's `phoneNumber` filter compares."
    )
    dasha_linked_filter: str = choice(
        "inbound", "inbound+outbound", doc="Which links `linkedAgentId` and `unlinkedOnly` look at."
    )
    dasha_outbound_literal: str = choice(
        "outbound", "replaceOutbound", "callerId", doc="What `uses` calls an outbound link."
    )
    dasha_foreign_link_status: int = choice(
        409, 400, 403, 404, 422, doc="Status when the phone number is linked inbound in another organisation."
    )
    dasha_inbound_uniqueness: str = choice(
        "other_organisations",
        "everywhere",
        doc="Whether the same phone number under other credentials of the same organisation blocks a link, too.",
    )
    dasha_unlink_agent_id: str = choice(
        "ignored",
        "refused",
        "respected",
        doc="What an inbound unlink does with the id of an agent that is not the linked one: take the number "
        "from whoever has it, answer 409, or change nothing and answer 200.",
    )
    dasha_unlinked_again_status: int = choice(
        200, 404, 400, 409, 422, doc="Status of an unlink where there is no link."
    )
    dasha_unknown_agent: str = choice(
        "accept",
        "refuse",
        doc="Whether an agent id the sandbox has not been told of may be linked, or is 404.",
    )
    dasha_delete_answer: str = choice(
        "no_content", "empty", "number", doc="What a successful delete of a number answers."
    )
    dasha_provider_delete: str = choice(
        "detaches",
        "leaves_trunk",
        "refused",
        doc="What the plain delete does with a number of a provider: as the provider's own endpoint, leave it on the "
        "provider's trunk, or answer 400.",
    )
    dasha_credentials_agents_status: int = choice(
        200, 403, 404, 405, doc="Status of GET /sip-credentials/{id}/affected-agents."
    )
    dasha_credentials_agents_show: str = choice(
        "all",
        "used",
        "some",
        doc="Which numbers that shows: all of the credentials, those that an agent uses, or every other one.",
    )
    dasha_agents_shape: str = choice(
        "array",
        "whole_array",
        "page",
        doc="GET /agents: a bare array that `skip` and `take` cut, one that is always whole, or a page like numbers.",
    )
    dasha_new_number_lag: float = amount(
        0.0, doc="How many seconds a number that a POST made is unknown to reads; writes find it at once."
    )
    dasha_lag_hides: str = choice(
        "both", "reads", "lists", doc="What does not know a new number: single reads, lists, or both."
    )
    dasha_stored_notation: str = choice(
        "as_sent",
        "plus_digits",
        "digits",
        doc="Which notation of a phone number is stored: the one sent, without what stands between the digits, or "
        "without the plus, too.",
    )
    dasha_null_fields: str = choice(
        "null", "omitted", doc="Whether optional fields without a value are null or left out."
    )
    dasha_timestamps: str = choice(
        "seconds", "seven_digits", "offset", doc="How times are written: ...56Z, ...56.1234567Z, ...56+00:00."
    )
    dasha_active_literal: str = choice(
        "Registered", "Active", doc="The state of a number that is registered."
    )
    dasha_waiting_literal: str = choice(
        "Registering", "Pending", "Unregistered", doc="The state of a number until it is registered."
    )
    dasha_registration_seconds: float = amount(2.0, doc="How long a registration takes.")
    dasha_registration_lifetime: float = amount(3600.0, least=0.001, doc="How far ahead `expiresAt` lies.")


DEMO: dict[str, Any] = {
    "agents": {
        "agent-support": "Support line",
        "agent-sales": "Sales line",
        "agent-campaign": "Spring campaign",
    },
    "numbers": [
        {
            "phone_number": "+15550100001",
            "credentials_id": TRUNK_A,
            "display_name": "Support",
            "inbound": "agent-support",
            "steps": REGISTERED,
        },
        {
            "phone_number": "+15550100002",
            "credentials_id": TRUNK_A,
            "display_name": "Campaign pool 1",
            "outbound": ["agent-campaign"],
            "steps": REGISTERED,
        },
        {
            "phone_number": "+15550100003",
            "credentials_id": TRUNK_A,
            "display_name": "Campaign pool 2",
            "steps": REGISTERED,
        },
        {
            "phone_number": "+15550100004",
            "credentials_id": TRUNK_B,
            "display_name": "Campaign pool 3",
            "steps": [{"after": 0, "state": "Failed"}],
        },
        {"phone_number": "+15550100005", "credentials_id": TRUNK_B, "display_name": "Reserve"},
    ],
}


def open_account(world: World, organisation: str) -> Organisation:
    """Return a new organisation."""
    from airflow_provider_phonelink.sandbox.dasha.world import Organisation

    def linked_elsewhere(phone_number: str) -> bool:
        return any(
            phone_number in account.inbound_phone_numbers()
            for (vendor, other), account in world.accounts.items()
            if vendor == DASHA.key and other != organisation
        )

    return Organisation(
        organisation,
        clock=world.clock,
        switches=world.switches,
        lock=world.lock,
        linked_elsewhere=linked_elsewhere,
    )


def plant(world: World, seed: Mapping[str, Any]) -> None:
    """Add the contents of a seed."""
    known(DASHA.key, seed, {"agents", "numbers", "plans", "linked_elsewhere"})
    account = world.account(DASHA.key)
    for agent, name in seed.get("agents", {}).items():
        account.add_agent(agent, name)
    for phone_number, steps in seed.get("plans", {}).items():
        account.plan(phone_number, steps)
    for number in seed.get("numbers", ()):
        account.add_number(**number)
    for phone_number in seed.get("linked_elsewhere", ()):
        link_elsewhere(world, phone_number)


def error(refused: Refused, path: str, _: Switches) -> tuple[bytes, str]:
    """Return ProblemDetails."""
    status = refused.status
    problem = {
        "type": f"https://httpstatuses.io/{status}",
        "title": HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error",
        "status": status,
        "detail": refused.detail,
        "instance": path,
        **refused.more,
    }
    return json.dumps(problem).encode(), "application/problem+json"


# What a world can do for this vendor


def organisation(world: World, id: str) -> Organisation:  # noqa: A002 - the vendor's word
    """Return an organisation; create it if there is none with that id."""
    account: Organisation = world.account(DASHA.key, id)
    return account


def link_elsewhere(world: World, phone_number: str) -> None:
    """Pretend that another organisation has linked a phone number inbound."""
    organisation(world, "org-elsewhere").add_number(phone_number, inbound="agent-elsewhere")


def plan_registration(
    world: World, phone_number: str, steps: Iterable[Step | tuple[Any, ...] | Mapping[str, Any]]
) -> None:
    """
    Say how a phone number's registration will go once it is created.

    `world.plan_registration("+15550001111", [(0, "Registering"), (2, "Failed", "no route")])`
    """
    world.account(DASHA.key).plan(phone_number, steps)


STAND_IN = StandIn(
    vendor=DASHA,
    prefix="/api/",
    api_key="dasha-sandbox-key",
    switches=DashaSwitches,
    open=open_account,
    plant=plant,
    demo=DEMO,
    error=error,
    resource=f"{NUMBERS}/[^/]+",
    extends={
        "organisation": organisation,
        "link_elsewhere": link_elsewhere,
        "plan_registration": plan_registration,
    },
)
