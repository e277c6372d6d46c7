from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.dasha import TRUNK_A
from airflow_provider_phonelink.sandbox.world import stand_ins

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox


def test_the_demo_shows_a_bit_of_everything(sandbox: Sandbox, dasha: httpx.Client) -> None:
    seeds.plant(sandbox.world, seeds.load("demo"))
    rows = sandbox.world.rows()
    assert {row["vendor"] for row in rows} == {"dasha", "callingbox"}
    assert {row["registration"] for row in rows} == {"Registered", "Failed", "Disabled", None}
    assert any(row["inbound_agent"] for row in rows)
    assert any(row["outbound_agents"] for row in rows)
    assert any(not row["inbound_agent"] and not row["outbound_agents"] for row in rows)
    assert all(re.fullmatch(r"\+155501\d{5}", row["number"]) for row in rows)
    assert len({number.settings.credentials_id for number in sandbox.world.dasha.numbers.values()}) == 2
    assert {agent.type for agent in sandbox.world.callingbox.agents.values()} == {"inbound", "outbound"}


def test_everything_a_seed_can_say(sandbox: Sandbox, dasha: httpx.Client, tmp_path: Path) -> None:
    provider, trunk = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
    document = {
        "dasha": {
            "agents": {"agent-a": "Support line"},
            "numbers": [
                {
                    "phone_number": "+1",
                    "credentials_id": trunk,
                    "display_name": "Name",
                    "description": "Text",
                    "registration": True,
                    "provider_id": provider,
                    "inbound": "agent-a",
                    "outbound": ["agent-b"],
                    "steps": [{"after": 0, "state": "Failed", "error": "Why", "sip": "How"}],
                }
            ],
            "plans": {"+2": [{"after": 0, "state": "Pending"}]},
            "linked_elsewhere": ["+3"],
        },
        "callingbox": {
            "agents": [{"id": "agt", "type": "outbound", "name": "Reminders"}],
            "numbers": [
                {"id": "pn", "e164": "+4", "friendly_name": "Four", "country_code": "DE", "agents": ["agt"]}
            ],
        },
    }
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(document))
    world = sandbox.world
    seeds.plant(world, seeds.load(str(file)))
    (number,) = dasha.get("/api/v1/sip-phone-numbers").json()["items"]
    assert (number["phoneNumber"], number["credentialsId"], number["providerId"]) == ("+1", trunk, provider)
    assert (number["displayName"], number["description"], number["registration"]) == ("Name", "Text", True)
    status = number["registrationStatus"]
    assert (status["state"], status["errorDescription"], status["sipResponseMessage"]) == (
        "Failed",
        "Why",
        "How",
    )
    assert world.dasha.links() == {number["id"]: ("agent-a", ["agent-b"])}
    assert world.dasha.affected(number["id"])[0] == ("agent-a", "Support line", ["inbound"])
    planned = world.dasha.get(world.dasha.add_number("+2", registration=True))
    assert world.dasha.status(planned).state == "Pending"
    assert "+3" in world.organisation("org-elsewhere").inbound_phone_numbers()
    assert world.callingbox.links() == {"pn": (None, ["agt"])}
    bought = world.callingbox.numbers["pn"]
    assert (bought.friendly_name, bought.country_code) == ("Four", "DE")


def test_the_documented_seed_is_one(sandbox: Sandbox) -> None:
    document = {}
    for key in stand_ins():
        pages = import_module(f"airflow_provider_phonelink.sandbox.{key}").__doc__ or ""
        (text,) = re.findall(r"\n( +\{\n.*\n +\})\n", pages, re.DOTALL)
        document[key] = json.loads(text.replace("<uuid>", TRUNK_A))
    seeds.plant(sandbox.world, document)
    assert len(sandbox.world.rows()) == 2
    assert set(document["dasha"]["numbers"][0]) == set(
        inspect.signature(sandbox.world.dasha.add_number).parameters
    )


@pytest.mark.parametrize(
    "text", ["[]", "no json", '"demo"', "[" * 100_000, '{"dasha":' * 400 + "1" + "}" * 400]
)
def test_a_file_that_is_no_seed_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "seed.json"
    file.write_text(text)
    with pytest.raises(ValueError):
        seeds.load(file)


def test_the_demo_is_not_changed_by_being_used(sandbox: Sandbox) -> None:
    before = json.dumps(seeds.DEMO)
    seeds.plant(sandbox.world, seeds.DEMO)
    sandbox.world.callingbox.detach("agt_reception", "pn_reception")
    assert json.dumps(seeds.DEMO) == before
