"""
What a sandbox starts with: a JSON document.

    {
      "dasha": {
        "agents": {"agent-support": "Support line"},
        "numbers": [
          {"phone_number": "+15550100001", "credentials_id": "<uuid>", "display_name": "Support",
           "description": null, "registration": true, "provider_id": null,
           "inbound": "agent-support", "outbound": ["agent-campaign"],
           "steps": [{"after": 0, "state": "Registering"}, {"after": 2, "state": "Registered"}]}
        ],
        "plans": {"+15550100009": [{"after": 0, "state": "Registering"}, {"after": 1, "state": "Failed"}]},
        "linked_elsewhere": ["+15550100666"]
      },
      "callingbox": {
        "agents": [{"id": "agt_reception", "type": "inbound", "name": "Reception"}],
        "numbers": [{"id": "pn_1", "e164": "+15550100101", "agents": ["agt_reception"]}]
      }
    }

Everything may be left out. `steps` and `plans` are scripts of `registration.Step`s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.sandbox.world import World

TRUNK_A = str(uuid5(NAMESPACE_DNS, "trunk-a.example"))
TRUNK_B = str(uuid5(NAMESPACE_DNS, "trunk-b.example"))
REGISTERED = [{"after": 0, "state": "Registered"}]

DEMO: dict[str, Any] = {
    "dasha": {
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
    },
    "callingbox": {
        "agents": [
            {"id": "agt_reception", "type": "inbound", "name": "Reception"},
            {"id": "agt_reminders", "type": "outbound", "name": "Appointment reminders"},
        ],
        "numbers": [
            {"id": "pn_reception", "e164": "+15550100101", "agents": ["agt_reception"]},
            {"id": "pn_reminders", "e164": "+15550100102", "agents": ["agt_reminders"]},
            {"id": "pn_spare", "e164": "+15550100103"},
        ],
    },
}


def load(source: str | Path) -> dict[str, Any]:
    """Return the seed called `demo`, or the one in a JSON file."""
    if source == "demo":
        return DEMO
    document = json.loads(Path(source).read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError("a seed is a JSON object")  # noqa: TRY004 - the caller's file is wrong, not a type
    return document


def plant(world: World, seed: Mapping[str, Any]) -> None:
    """Put a seed into a world, in addition to what is there: the whole of it or, if it is wrong, nothing."""
    _known("seed", seed, {"dasha", "callingbox"})
    with world.lock:
        undo = (world.dasha.snapshot(), world.callingbox.snapshot())
        try:
            _plant_dasha(world, seed.get("dasha", {}))
            _plant_callingbox(world, seed.get("callingbox", {}))
        except Exception:
            for restore in undo:
                restore()
            raise


def _plant_dasha(world: World, seed: Mapping[str, Any]) -> None:
    _known("dasha", seed, {"agents", "numbers", "plans", "linked_elsewhere"})
    for agent, name in seed.get("agents", {}).items():
        world.dasha.add_agent(agent, name)
    for phone_number, steps in seed.get("plans", {}).items():
        world.dasha.plan(phone_number, steps)
    for number in seed.get("numbers", ()):
        world.dasha.add_number(**number)
    for phone_number in seed.get("linked_elsewhere", ()):
        world.link_elsewhere(phone_number)


def _plant_callingbox(world: World, seed: Mapping[str, Any]) -> None:
    _known("callingbox", seed, {"agents", "numbers"})
    for agent in seed.get("agents", ()):
        world.callingbox.add_agent(**agent)
    for number in seed.get("numbers", ()):
        world.callingbox.add_number(**number)


def _known(what: str, document: Mapping[str, Any], names: set[str]) -> None:
    if strange := set(document) - names:
        raise ValueError(f"{what} knows {', '.join(sorted(names))}; not {', '.join(sorted(strange))}")
