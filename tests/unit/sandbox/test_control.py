"""The endpoints by which tests in other processes drive the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_phonelink.sandbox import Switches
from airflow_provider_phonelink.sandbox.control import as_table

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"


def test_state_is_a_table(control: httpx.Client, sandbox: Sandbox) -> None:
    control.post("seed", json={"name": "demo"})
    rows = control.get("state").json()
    assert {"vendor", "id", "number", "registration", "inbound_agent", "outbound_agents"} == set(rows[0])
    assert ("callingbox", "+15550100101", None, "agt_reception", []) in [
        (row["vendor"], row["number"], row["registration"], row["inbound_agent"], row["outbound_agents"])
        for row in rows
    ]
    text = control.get("state", params={"format": "text"}).text
    assert text == as_table(sandbox.world.rows())
    assert text.splitlines()[1] == "dasha       +15550100001  Registered    agent-support  -"


def test_an_empty_table_has_a_heading() -> None:
    assert as_table([]) == "vendor  number  registration  inbound agent  outbound agents\n"


def test_seeds_add_up_and_reset_forgets_them(control: httpx.Client, sandbox: Sandbox) -> None:
    assert control.post("seed", json={"dasha": {"numbers": [{"phone_number": "+1555"}]}}).json() == {
        "numbers": 1
    }
    assert control.post("seed", json={"name": "demo"}).json() == {"numbers": 9}
    sandbox.set(dasha_phone_filter="substring")
    assert control.post("reset").json() == {"reset": True}
    assert control.get("state").json() == []
    assert sandbox.switches == Switches()


@pytest.mark.parametrize(
    "seed",
    [
        {"dash": {}},
        {"dasha": []},
        {"dasha": {"numbers": [{"phone_number": "+1"}, {"phone": "+2"}]}},
        {"dasha": {"numbers": [{"phone_number": "+1", "credentials_id": "x"}]}},
        {"callingbox": {"numbers": [{"e164": "+1", "agents": ["nobody"]}]}},
        {"callingbox": {"agents": [{"type": "sideways"}]}},
        {"dasha": {"agents": {"a": "A"}, "plans": {"+1": []}}},
    ],
)
def test_a_seed_that_is_wrong_is_refused_as_a_whole(
    control: httpx.Client, sandbox: Sandbox, seed: dict[str, Any]
) -> None:
    response = control.post("seed", json=seed)
    assert response.status_code in (400, 404)
    assert response.json()["error"]
    assert sandbox.world.rows() == []
    assert sandbox.world.dasha.agents == {}


def test_switches(control: httpx.Client, sandbox: Sandbox) -> None:
    before = control.get("switches").json()
    assert before["dasha_duplicate_status"]["value"] == 409
    assert before["dasha_duplicate_status"]["values"] == [409, 400, 422]
    assert set(before) == set(Switches.describe())
    change = {"dasha_duplicate_status": 422, "callingbox_sparse": True}
    assert control.patch("switches", json=change).json() == change
    assert (sandbox.switches.dasha_duplicate_status, sandbox.switches.callingbox_sparse) == (422, True)
    refused = control.patch("switches", json={"dasha_duplicate_status": 400, "nothing": 1})
    assert (refused.status_code, sandbox.switches.dasha_duplicate_status) == (400, 422)


def test_registrations_and_clock(control: httpx.Client, dasha: httpx.Client, sandbox: Sandbox) -> None:
    plan = {
        "phone_number": "+1555",
        "steps": [{"after": 0, "state": "Registering"}, {"after": 9, "state": "Failed"}],
    }
    assert control.post("registrations", json=plan).json() == {"planned": "+1555"}
    id_ = sandbox.world.dasha.add_number("+1555", registration=True)
    assert control.post("clock", json={"advance": 9}).json() == {"now": sandbox.world.clock.now()}
    assert dasha.get(f"{NUMBERS}/{id_}").json()["registrationStatus"]["state"] == "Failed"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("registrations", {"phone_number": "+1555", "steps": []}),
        ("registrations", {"phone_number": "+1555", "steps": [{"after": -1, "state": "x"}]}),
        ("registrations", {"phone_number": "+1555", "steps": [{"after": 0, "state": "x", "err": "y"}]}),
        ("clock", {"advance": -1}),
        ("clock", {"advance": "soon"}),
        ("clock", {}),
        ("faults", {"kind": "explode"}),
        ("faults", {"kind": "status"}),
        ("faults", {"kind": "drop", "path": "("}),
        ("faults", {"kind": "drop", "paths": "x"}),
        ("faults", {"kind": "meanwhile", "run": "import os"}),
    ],
)
def test_what_makes_no_sense_is_400(control: httpx.Client, path: str, body: dict[str, Any]) -> None:
    response = control.post(path, json=body)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]


def test_faults(control: httpx.Client, dasha: httpx.Client, sandbox: Sandbox) -> None:
    fault = {
        "kind": "status",
        "status": 503,
        "method": "GET",
        "headers": {"Retry-After": "1"},
        "remove": ["x"],
    }
    assert control.post("faults", json=fault).json() == fault
    assert dasha.get(NUMBERS).status_code == 503
    assert control.get("faults").json() == [{**fault, "fired": 1}]
    sandbox.faults.meanwhile(lambda world: None)
    assert "lambda" in control.get("faults").json()[1]["run"]
    control.delete("faults")
    assert (control.get("faults").json(), dasha.get(NUMBERS).status_code) == ([], 200)


def test_somebody_else_acts_from_another_process(
    control: httpx.Client, dasha: httpx.Client, sandbox: Sandbox
) -> None:
    id_ = sandbox.world.dasha.add_number("+1555")
    call = f"PUT {NUMBERS}/{id_}/agent-link?agentId=agent-x"
    control.post("faults", json={"kind": "meanwhile", "method": "GET", "when": "after", "calls": [call]})
    seen = [dasha.get(f"{NUMBERS}/{id_}").json()["incomingCallsAgentId"] for _ in range(2)]
    assert seen == [None, "agent-x"]


def test_journal(control: httpx.Client, dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+1555")
    dasha.get(NUMBERS)
    dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "a"})
    journal = control.get("journal").json()
    assert (journal["total"], [entry["method"] for entry in journal["requests"]]) == (2, ["GET", "PUT"])
    assert [entry["n"] for entry in control.get("journal", params={"writes": "true"}).json()["requests"]] == [
        2
    ]
    assert control.get("journal", params={"method": "PUT", "since": 2}).json()["requests"] == []
    assert control.get("journal", params={"path": "("}).status_code == 400
    control.delete("journal")
    assert control.get("journal").json() == {"total": 0, "requests": []}


def test_the_documentation_needs_nothing_from_elsewhere(control: httpx.Client, sandbox: Sandbox) -> None:
    root = sandbox.url
    page = control.get(f"{root}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.text == control.get(f"{root}/").text
    for heading in ("Dasha BlackBox", "CallingBox", "Sandbox"):
        assert f"<h2>{heading}</h2>" in page.text
    for path in control.get(f"{root}/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


HALF = "\ud800"
STRANGE = {
    "seed": {
        "dasha": {
            "agents": {HALF: HALF},
            "numbers": [{"phone_number": HALF, "display_name": HALF, "inbound": HALF, "outbound": [HALF]}],
            "linked_elsewhere": [HALF],
        },
        "callingbox": {
            "agents": [{"id": HALF, "type": "inbound", "name": HALF}],
            "numbers": [{"id": HALF, "e164": HALF, "agents": [HALF]}],
        },
    },
    "registrations": {"phone_number": HALF, "steps": [{"after": 0, "state": HALF}]},
    "faults": {"kind": "edit", "vendor": "dasha", "merge": {HALF: HALF}, "path": HALF, "count": 1},
    "clock": {"advance": HALF},
}


def test_halves_of_surrogate_pairs_are_no_failure(
    control: httpx.Client, dasha: httpx.Client, callingbox: httpx.Client
) -> None:
    def send(client: httpx.Client, method: str, path: str, document: Any = None, **options: Any) -> int:
        if document is not None:
            options |= {"content": json.dumps(document), "headers": {"Content-Type": "application/json"}}
        return client.request(method, path, **options).status_code

    answered = [send(control, "POST", path, document) for path, document in STRANGE.items()]
    answered += [send(control, "PATCH", "switches", {HALF: HALF})]
    body = {"phoneNumber": HALF, "credentialsId": HALF, HALF: HALF}
    answered += [send(dasha, "POST", NUMBERS, body), send(dasha, "GET", f"{NUMBERS}?phoneNumber=%ED%A0%80")]
    answered += [send(dasha, "GET", f"{NUMBERS}/%ED%A0%80"), send(dasha, "GET", NUMBERS)]
    answered += [send(dasha, "GET", "/api/v1/agents"), send(callingbox, "GET", "/v1/numbers")]
    answered += [send(callingbox, "GET", "/v1/agents"), send(callingbox, "GET", "/v1/agents/%ED%A0%80")]
    answered += [send(callingbox, "POST", "/v1/agents/%ED%A0%80/numbers", {"number_id": HALF})]
    answered += [send(callingbox, "POST", "/v1/agents/x/numbers", {HALF: HALF})]
    answered += [send(control, "GET", path) for path in ("state", "state?format=text", "journal", "faults")]
    answered += [send(control, "GET", "journal?path=%ED%A0%80&vendor=%ED%A0%80")]
    assert max(answered) < 500
    assert answered[0] == 200, "a seed with them is planted"
    assert control.get("state").json()[0]["inbound_agent"] == HALF
