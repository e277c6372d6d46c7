"""What the vendors do not document: each switch does what it says, and takes plausible values only."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_phonelink.sandbox import Switches

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"
TRUNK = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
BODY = {"phoneNumber": "+15550100001", "credentialsId": TRUNK}


def values(name: str) -> tuple[Any, ...]:
    return Switches.choices()[name]


# The switches themselves


def test_every_switch_is_documented_and_begins_with_its_default() -> None:
    settled = Switches()
    assert set(Switches.describe()) == set(vars(settled))
    assert all(len(doc) > 15 for doc in Switches.describe().values())
    for name, plausible in Switches.choices().items():
        assert getattr(settled, name) == plausible[0]
        assert len(set(plausible)) == len(plausible) > 1


def test_alternatives_are_all_values_but_the_defaults() -> None:
    alternatives = Switches.alternatives()
    assert ("dasha_duplicate_status", 400) in alternatives
    assert ("callingbox_sparse", True) in alternatives
    assert len(alternatives) == sum(len(plausible) - 1 for plausible in Switches.choices().values())
    for name, value in alternatives:
        assert getattr(Switches(**{name: value}), name) == value != getattr(Switches(), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dasha_duplicate_status", 500),
        ("dasha_duplicate_status", "409"),
        ("dasha_phone_filter", "fuzzy"),
        ("callingbox_sparse", 1),
        ("dasha_registration_seconds", -1),
        ("dasha_registration_seconds", "2"),
        ("dasha_registration_seconds", True),
        ("dasha_registration_lifetime", 0),
        ("no_such_switch", 1),
    ],
)
def test_other_values_are_refused_and_nothing_is_set(name: str, value: Any) -> None:
    settled = Switches()
    with pytest.raises(ValueError, match=name):
        setattr(settled, name, value)
    with pytest.raises(ValueError, match=name):
        settled.update(**{"write_answers": "empty", name: value})
    assert settled == Switches()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dasha_duplicate_status=422", ("dasha_duplicate_status", 422)),
        ("callingbox_sparse=true", ("callingbox_sparse", True)),
        ("dasha_phone_filter=substring", ("dasha_phone_filter", "substring")),
        ("dasha_registration_seconds=0.5", ("dasha_registration_seconds", 0.5)),
    ],
)
def test_assignments_are_read_from_text(text: str, expected: tuple[str, Any]) -> None:
    assert Switches.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "dasha_duplicate_status",
        "dasha_duplicate_status=500",
        "nothing=1",
        "dasha_registration_seconds=soon",
        "dasha_registration_seconds=nan",
    ],
)
def test_assignments_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Switches.parse(text)


def test_the_json_schema_knows_every_switch() -> None:
    schema = Switches.json_schema()
    assert set(schema["properties"]) == set(Switches.describe())
    assert schema["properties"]["dasha_created_status"]["enum"] == [201, 200]


# Both vendors


@pytest.mark.parametrize("value", values("write_answers"))
def test_write_answers(dasha: httpx.Client, callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(write_answers=value)
    id_ = sandbox.world.dasha.add_number("+15550100009")
    sandbox.world.callingbox.add_agent("inbound", id="agt")
    sandbox.world.callingbox.add_number("+15550100109", id="pn")
    answers = [
        dasha.post(NUMBERS, json=BODY),
        dasha.put(f"{NUMBERS}/{id_}", json={**BODY, "phoneNumber": "+15550100008"}),
        dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "agent-a"}),
        dasha.delete(f"{NUMBERS}/{id_}/agent-link"),
        callingbox.post("/v1/agents/agt/numbers", json={"number_id": "pn"}),
        callingbox.put("/v1/agents/agt/primary-number", json={"number_id": "pn"}),
        callingbox.delete("/v1/agents/agt/numbers/pn"),
    ]
    expected = {"body": [201, *[200] * 6], "empty": [201, *[200] * 6], "no_content": [204] * 7}
    assert [answer.status_code for answer in answers] == expected[value]
    assert [bool(answer.content) for answer in answers] == [value == "body"] * 7
    assert len(sandbox.world.dasha.numbers) == 2


@pytest.mark.parametrize("value", values("date_header"))
def test_date_header(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(date_header=value)
    sandbox.world.advance(3600)
    dates = dasha.get(NUMBERS).headers.get_list("date")
    assert dates == ([formatdate(sandbox.world.clock.now(), usegmt=True)] if value == "sent" else [])


@pytest.mark.parametrize("value", values("rate_limit_headers"))
def test_rate_limit_headers(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(rate_limit_headers=value)
    dasha.get(NUMBERS)
    told = {name: text for name, text in dasha.get(NUMBERS).headers.items() if "ratelimit" in name}
    expected = {f"{value}-limit": "600", f"{value}-remaining": "598", f"{value}-reset": "60"}
    assert told == ({} if value == "none" else expected)


# Dasha


@pytest.mark.parametrize("value", values("dasha_created_status"))
def test_created_status(dasha: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(dasha_created_status=value)
    assert dasha.post(NUMBERS, json=BODY).status_code == value


@pytest.mark.parametrize("value", values("dasha_duplicate_status"))
def test_duplicate_status(dasha: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(dasha_duplicate_status=value)
    dasha.post(NUMBERS, json=BODY)
    again = dasha.post(NUMBERS, json=BODY)
    assert (again.status_code, again.json()["status"]) == (value, value)


@pytest.mark.parametrize("value", values("dasha_phone_filter"))
def test_phone_filter(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_phone_filter=value)
    for phone_number in ("+155501", "+1555012", "0+155501"):
        sandbox.world.dasha.add_number(phone_number)
    found = dasha.get(NUMBERS, params={"phoneNumber": "+155501"}).json()
    assert found["totalCount"] == {"exact": 1, "substring": 3}[value]


@pytest.mark.parametrize("value", values("dasha_linked_filter"))
def test_linked_filter(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_linked_filter=value)
    numbers: list[dict[str, Any]] = [{"inbound": "agent-a"}, {"outbound": ["agent-a"]}, {}]
    for i, links in enumerate(numbers):
        sandbox.world.dasha.add_number(f"+1555010000{i}", **links)
    linked = dasha.get(NUMBERS, params={"linkedAgentId": "agent-a"}).json()["totalCount"]
    unlinked = dasha.get(NUMBERS, params={"unlinkedOnly": "true"}).json()["totalCount"]
    assert (linked, unlinked) == {"inbound": (1, 2), "inbound+outbound": (2, 1)}[value]


@pytest.mark.parametrize("value", values("dasha_outbound_literal"))
def test_outbound_literal(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_outbound_literal=value)
    id_ = sandbox.world.dasha.add_number("+15550100001", inbound="agent-a", outbound=["agent-a"])
    affected = dasha.get(f"{NUMBERS}/{id_}/affected-agents").json()["affectedAgents"]
    assert affected == [{"agentId": "agent-a", "agentName": "agent-a", "uses": ["inbound", value]}]


@pytest.mark.parametrize("value", values("dasha_foreign_link_status"))
def test_foreign_link_status(dasha: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(dasha_foreign_link_status=value)
    sandbox.world.link_elsewhere("+15550100001")
    id_ = sandbox.world.dasha.add_number("+15550100001")
    assert dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "a"}).status_code == value
    assert sandbox.world.dasha.links()[id_] == (None, [])


@pytest.mark.parametrize("value", values("dasha_inbound_uniqueness"))
def test_inbound_uniqueness(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_inbound_uniqueness=value)
    sandbox.world.dasha.add_number("+15550100001", inbound="agent-a")
    id_ = sandbox.world.dasha.add_number("+15550100001")
    status = dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "agent-b"}).status_code
    assert status == {"other_organisations": 200, "everywhere": 409}[value]


@pytest.mark.parametrize("value", values("dasha_inbound_uniqueness"))
def test_a_number_is_no_obstacle_to_itself(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_inbound_uniqueness=value)
    id_ = sandbox.world.dasha.add_number("+15550100001", inbound="agent-a")
    assert dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "agent-b"}).status_code == 200


@pytest.mark.parametrize("value", values("dasha_unlink_agent_id"))
def test_unlink_agent_id(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_unlink_agent_id=value)
    id_ = sandbox.world.dasha.add_number("+15550100001", inbound="agent-a")
    response = dasha.delete(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "agent-b"})
    left = sandbox.world.dasha.links()[id_][0]
    expected = {"ignored": (200, None), "refused": (409, "agent-a"), "respected": (200, "agent-a")}
    assert (response.status_code, left) == expected[value]
    assert dasha.delete(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "agent-a"}).status_code == 200


@pytest.mark.parametrize("value", values("dasha_unlinked_again_status"))
@pytest.mark.parametrize("params", [{}, {"agentId": "a"}, {"agentId": "a", "mode": "replaceOutbound"}])
def test_unlinked_again_status(
    dasha: httpx.Client, sandbox: Sandbox, value: int, params: dict[str, str]
) -> None:
    sandbox.set(dasha_unlinked_again_status=value)
    id_ = sandbox.world.dasha.add_number("+15550100001")
    assert dasha.delete(f"{NUMBERS}/{id_}/agent-link", params=params).status_code == value


@pytest.mark.parametrize("value", values("dasha_unknown_agent"))
@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_unknown_agent(dasha: httpx.Client, sandbox: Sandbox, value: str, mode: str) -> None:
    sandbox.set(dasha_unknown_agent=value)
    sandbox.world.dasha.add_agent("known")
    id_ = sandbox.world.dasha.add_number("+15550100001")
    link = f"{NUMBERS}/{id_}/agent-link"
    unknown = dasha.put(link, params={"agentId": "unknown", "mode": mode}).status_code
    assert unknown == {"accept": 200, "refuse": 404}[value]
    assert dasha.put(link, params={"agentId": "known", "mode": mode}).status_code == 200


@pytest.mark.parametrize("value", values("dasha_delete_answer"))
def test_delete_answer(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_delete_answer=value)
    id_ = sandbox.world.dasha.add_number("+15550100001")
    response = dasha.delete(f"{NUMBERS}/{id_}")
    assert response.status_code == {"no_content": 204, "empty": 200, "number": 200}[value]
    assert (response.json()["id"] if response.content else None) == (id_ if value == "number" else None)
    assert sandbox.world.dasha.numbers == {}


@pytest.mark.parametrize("value", values("dasha_null_fields"))
def test_null_fields(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_null_fields=value)
    id_ = sandbox.world.dasha.add_number("+15550100001", display_name="Support")
    number = dasha.get(f"{NUMBERS}/{id_}").json()
    nullable = {"description", "providerId", "incomingCallsAgentId"}
    assert nullable & set(number) == {"null": nullable, "omitted": set()}[value]
    assert ("expiresAt" in number["registrationStatus"]) == (value == "null")
    assert number["displayName"] == "Support"


@pytest.mark.parametrize("value", values("dasha_timestamps"))
def test_timestamps(dasha: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(dasha_timestamps=value)
    id_ = sandbox.world.dasha.add_number("+15550100001")
    shapes = {"seconds": r"T\d\d:\d\d:\d\dZ", "seven_digits": r"T.{8}\.\d{7}Z", "offset": r"T.{8}\+00:00"}
    number = dasha.get(f"{NUMBERS}/{id_}").json()
    for time in (
        number["createdTime"],
        number["lastUpdateTime"],
        number["registrationStatus"]["lastUpdated"],
    ):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d" + shapes[value], time)


@pytest.mark.parametrize("waiting", values("dasha_waiting_literal"))
@pytest.mark.parametrize("active", values("dasha_active_literal"))
def test_registration_literals(dasha: httpx.Client, sandbox: Sandbox, waiting: str, active: str) -> None:
    sandbox.set(dasha_waiting_literal=waiting, dasha_active_literal=active, dasha_registration_seconds=7)
    id_ = sandbox.world.dasha.add_number("+15550100001", registration=True)
    states = []
    for _ in range(3):
        states.append(dasha.get(f"{NUMBERS}/{id_}").json()["registrationStatus"]["state"])
        sandbox.world.advance(3.5)
    assert states == [waiting, waiting, active]


def test_a_switch_changes_numbers_that_were_shown_already(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001", steps=[(0, "Registered")])
    lifetimes = []
    for lifetime in (3600, 60):
        sandbox.set(dasha_registration_lifetime=lifetime)
        lifetimes.append(dasha.get(f"{NUMBERS}/{id_}").json()["registrationStatus"]["expiresAt"])
    assert lifetimes[0] > lifetimes[1]


# CallingBox


@pytest.fixture
def cast(sandbox: Sandbox) -> None:
    world = sandbox.world.callingbox
    world.add_agent("inbound", "One", id="in-1")
    world.add_agent("inbound", "Two", id="in-2")
    for i in range(3):
        world.add_number(f"+1555010010{i}", id=f"pn_{i}")
    world.attach("in-1", "pn_0")


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_attach_body_key"))
def test_attach_body_key(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_attach_body_key=value)
    statuses = {
        key: callingbox.post("/v1/agents/in-2/numbers", json={key: "pn_1"}).status_code
        for key in values("callingbox_attach_body_key")
    }
    assert statuses == {key: 200 if key == value else 400 for key in statuses}


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_primary_body_key"))
def test_primary_body_key(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.world.callingbox.attach("in-1", "pn_1")
    sandbox.set(callingbox_primary_body_key=value)
    statuses = {
        key: callingbox.put("/v1/agents/in-1/primary-number", json={key: "pn_1"}).status_code
        for key in values("callingbox_primary_body_key")
    }
    assert statuses == {key: 200 if key == value else 400 for key in statuses}
    assert sandbox.world.callingbox.agents["in-1"].primary_number == "pn_1"


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_foreign_attach_status"))
def test_foreign_attach_status(callingbox: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(callingbox_foreign_attach_status=value)
    assert callingbox.post("/v1/agents/in-2/numbers", json={"number_id": "pn_0"}).status_code == value
    assert sandbox.world.callingbox.links()["pn_0"] == ("in-1", [])


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_attached_again_status"))
def test_attached_again_status(callingbox: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(callingbox_attached_again_status=value)
    assert callingbox.post("/v1/agents/in-1/numbers", json={"number_id": "pn_0"}).status_code == value
    assert sandbox.world.callingbox.attached("in-1") == ["pn_0"]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_detached_again_status"))
def test_detached_again_status(callingbox: httpx.Client, sandbox: Sandbox, value: int) -> None:
    sandbox.set(callingbox_detached_again_status=value)
    assert callingbox.delete("/v1/agents/in-2/numbers/pn_0").status_code == value
    assert sandbox.world.callingbox.links()["pn_0"] == ("in-1", [])


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_numbers_shape"))
def test_numbers_shape(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_numbers_shape=value)
    answer = callingbox.get("/v1/numbers").json()
    numbers = answer if value == "array" else answer["data"]
    assert [number["id"] for number in numbers] == ["pn_2", "pn_1", "pn_0"]
    assert (value == "data_has_more") == (isinstance(answer, dict) and answer.get("has_more") is False)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(("size", "shown", "more"), [(0, 3, False), (2, 2, True), (3, 3, False)])
def test_page_size(callingbox: httpx.Client, sandbox: Sandbox, size: int, shown: int, more: bool) -> None:
    sandbox.set(callingbox_numbers_shape="data_has_more", callingbox_page_size=size)
    answer = callingbox.get("/v1/numbers").json()
    assert (len(answer["data"]), answer["has_more"]) == (shown, more)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_first_number"))
def test_first_number(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_first_number=value)
    primaries = [
        callingbox.post("/v1/agents/in-2/numbers", json={"number_id": id_}).json()["primary_number_id"]
        for id_ in ("pn_1", "pn_2")
    ]
    assert primaries == {"primary": ["pn_1", "pn_1"], "plain": [None, None]}[value]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_detached_primary"))
def test_detached_primary(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_detached_primary=value)
    sandbox.world.callingbox.attach("in-1", "pn_1")
    agent = callingbox.delete("/v1/agents/in-1/numbers/pn_0").json()
    assert agent["primary_number_id"] == {"null": None, "next": "pn_1"}[value]
    assert callingbox.delete("/v1/agents/in-1/numbers/pn_1").json()["primary_number_id"] is None


@pytest.mark.parametrize("value", values("callingbox_error_shape"))
def test_error_shape(callingbox: httpx.Client, sandbox: Sandbox, value: str) -> None:
    sandbox.set(callingbox_error_shape=value)
    text = "Agent not found"
    expected = {"text": {"error": text}, "object": {"error": {"message": text}}, "message": {"message": text}}
    assert callingbox.get("/v1/agents/nobody").json() == expected[value]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("value", values("callingbox_sparse"))
def test_sparse(callingbox: httpx.Client, sandbox: Sandbox, value: bool) -> None:
    callingbox.get("/v1/numbers")
    sandbox.set(callingbox_sparse=value)
    agent = callingbox.get("/v1/agents/in-1").json()
    assert ("numbers" in agent, "primary_number_id" in agent) == (not value, not value)
    number = callingbox.get("/v1/numbers").json()[0]
    assert ("inbound_agent_id" in number, "e164" in number) == (not value, True)


# All of them


def test_every_switch_is_set_by_a_test_of_the_sandbox(request: pytest.FixtureRequest) -> None:
    source = "".join(file.read_text() for file in request.path.parent.glob("test_*.py"))
    settings = " ".join(re.findall(r"sandbox\.set\(([^()]*)\)", source))
    tested = set(re.findall(r"\b(\w+)=", settings))
    assert set(Switches.describe()) - tested == set()
