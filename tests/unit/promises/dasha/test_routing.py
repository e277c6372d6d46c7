"""Reconcile: what is read, in how many requests, and that planning many routes costs no more for each."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.errors import InvalidArgumentError, RoutesError
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.decisions.routes import parse_routes
from airflow_provider_phonelink.decisions.scope import parse_scope
from airflow_provider_phonelink.promises.dasha.routing import ROUTING
from airflow_provider_phonelink.promises.dasha.routing import RULES as DASHA

if TYPE_CHECKING:
    from types import FrameType

MANY = 10_000
LISTED = "sip-phone-numbers"
READ = "affected-agents"


def routes(*items):
    return parse_routes(
        [dict(zip(("number", "agent_id", "mode"), item, strict=False)) for item in items], DASHA
    )


def asked(vendor):
    """How many lists, single numbers and affected agents were read."""
    paths = [request.rpartition("/")[2] for request in vendor.requests]
    return paths.count(LISTED), len(paths) - paths.count(LISTED) - paths.count(READ), paths.count(READ)


class Prepared:
    """A vendor that has its pages ready, so that only our own work is measured."""

    def __init__(self, count: int) -> None:
        numbers = [number_json(i, incomingCallsAgentId=f"agent-{i % 50}") for i in range(count)]
        self.requests: list[httpx.Request] = []
        self.pages = {
            str(skip): json.dumps(
                {"items": numbers[skip : skip + 1000], "totalCount": count, "skip": skip, "take": 1000}
            ).encode()
            for skip in range(0, count + 1000, 1000)
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, content=self.pages[request.url.params["skip"]])


def planned(many: int, written: str, *, count_calls: bool = True) -> tuple[Any, int, int]:
    """Return the plan for many routes, the requests it took, and how many functions were called for it."""
    vendor = Prepared(many)
    wishes = [
        {"number": written.format(i), "agent_id": f"agent-{(i + (i % 100 == 0)) % 50}"} for i in range(many)
    ]
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    with Sender(dasha_settings(), transport=httpx.MockTransport(vendor)) as sender:
        sender.run(ROUTING.plan(parse_routes(wishes[:10], DASHA)))  # what is done once only
        vendor.requests.clear()
        sys.setprofile(count if count_calls else None)
        try:
            plan = sender.run(ROUTING.plan(parse_routes(wishes, DASHA)))
        finally:
            sys.setprofile(None)
    return plan, len(vendor.requests), calls


@pytest.mark.parametrize(
    ("written", "most"),
    [("+1555{:07d}", 120), ("+1 (555) {:07d}", 250)],
    ids=["as written", "another notation"],
)
def test_ten_thousand_routes(written, most):
    plan, requests, _ = planned(MANY, written, count_calls=False)
    assert requests <= 11
    assert (len(plan.changes), plan.unchanged) == (MANY // 100, MANY - MANY // 100)
    # Counted, for how long it takes depends on what else the machine does: a route costs the same among many.
    _, _, calls_for_few = planned(200, written)
    _, _, calls_for_many = planned(2000, written)
    assert calls_for_many < 10.5 * calls_for_few
    assert calls_for_many < most * 2000


class TestWhatIsRead:
    @pytest.fixture
    def vendor(self):
        provider = "d0000000-0000-4000-8000-000000000001"
        return FakeDasha(
            number_json(1, incomingCallsAgentId="a", credentialsId=number_id(101)),
            number_json(2, providerId=provider.upper(), credentialsId=number_id(102)),
            number_json(3, providerId=provider, credentialsId=number_id(103)),
            number_json(4, credentialsId=number_id(104)),
            outbound={"a": number_id(1), "b": number_id(2), "c": number_id(3)},
        )

    def test_inbound_links_by_lists_alone(self, carry_out, vendor):
        carry_out(ROUTING.plan(routes(("+15550000001", "a"), ("+15550000002", "b"))), vendor=vendor)
        lists, numbers, affected = asked(vendor)
        assert lists
        assert (numbers, affected) == (0, 0)

    def test_numbers_that_are_named_by_id_without_a_list_if_that_is_cheaper(self, carry_out, vendor):
        plan = carry_out(ROUTING.plan(routes((number_id(1).upper(), "b"))), vendor=vendor)
        assert asked(vendor) == (0, 1, 0)
        assert plan.diff() == [f"~ move   +15550000001 (id {number_id(1)}) inbound from agent a to agent b"]

    def test_an_id_that_is_not_there(self, carry_out, vendor):
        with pytest.raises(RoutesError, match="no number"):
            carry_out(ROUTING.plan(routes((number_id(9), "b"))), vendor=vendor)

    @pytest.mark.parametrize(
        ("scope", "read"),
        [
            # The agent may have any number now, which the route replaces.
            (None, [1, 2, 3, 4]),
            ({"agents": ["x"]}, [1, 2, 3, 4]),
            ({"agents": ["a"]}, [1, 2, 3, 4]),
        ],
    )
    def test_outbound_links_by_a_read_of_each_number_that_matters(self, carry_out, vendor, scope, read):
        wishes = routes(("+15550000004", "x", "replaceOutbound"))
        carry_out(
            ROUTING.plan(wishes, scope=parse_scope(scope, DASHA), prune=scope is not None), vendor=vendor
        )
        found = [request.split("/")[-2] for request in vendor.requests if READ in request]
        assert sorted(found) == [number_id(i) for i in read]

    def test_nothing_is_written(self, carry_out, vendor):
        carry_out(
            ROUTING.plan(routes(("+15550000001", "b"), ("+15550000002", "x", "replaceOutbound"))),
            vendor=vendor,
        )
        assert vendor.writes == []

    def test_pruning_needs_a_scope(self, carry_out, vendor):
        with pytest.raises(InvalidArgumentError, match="scope"):
            carry_out(ROUTING.plan([], prune=True), vendor=vendor)
        assert vendor.requests == []


AGENT = "aaaaaaaa-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_an_agents_uuid_in_another_case_is_the_same_agent(carry_out, mode):
    """Some databases and spreadsheets write uuids in upper case."""
    vendor = FakeDasha(
        number_json(1, incomingCallsAgentId=AGENT), number_json(2), outbound={AGENT: number_id(1)}
    )
    wishes = routes(("+15550000001", AGENT.upper(), mode), ("+15550000001", AGENT, mode))
    scope = parse_scope({"agents": [AGENT.upper()], "modes": [mode]}, DASHA)
    assert carry_out(ROUTING.plan(wishes, scope=scope, prune=True), vendor=vendor).in_sync
    moved = routes(("+15550000002", AGENT.upper(), mode))
    plan = carry_out(ROUTING.plan(moved, scope=scope, prune=True), vendor=vendor)
    assert {change.link.agent_id for change in plan.changes} == {AGENT}


def test_other_ids_of_agents_are_told_apart_by_case(carry_out):
    vendor = FakeDasha(number_json(1, incomingCallsAgentId="agent-a"))
    [change] = carry_out(ROUTING.plan(routes(("+15550000001", "Agent-A"))), vendor=vendor).changes
    assert (change.action, change.link.agent_id) == ("move", "Agent-A")


@pytest.mark.parametrize(
    "agents", [["x", "../y"], ["agent-a\u200b"], [["agent-a"]], "['agent-a', \"['x']\"]", ["{{ a }}"]]
)
def test_a_scope_names_agents_by_their_ids(agents):
    with pytest.raises(InvalidArgumentError, match="scope, agents: "):
        parse_scope({"agents": agents}, DASHA)


@pytest.mark.parametrize("literal", ["outbound", "replaceOutbound", "OUTBOUND"])
def test_known_outbound_literals_are_links(carry_out, literal):
    vendor = FakeDasha(number_json(1), outbound={"a": number_id(1)}, outbound_literal=literal)
    wishes = routes(("+15550000001", "a", "replaceOutbound"))
    assert carry_out(ROUTING.plan(wishes), vendor=vendor).in_sync


def test_unknown_outbound_literals_suppress_nothing_and_are_never_removed(carry_out):
    vendor = FakeDasha(
        number_json(1), outbound={"a": number_id(1), "b": number_id(1)}, outbound_literal="campaign"
    )
    scope = parse_scope({"pool": ["+15550000001"]}, DASHA)
    wishes = routes(("+15550000001", "a", "replaceOutbound"))
    plan = carry_out(ROUTING.plan(wishes, scope=scope, prune=True), vendor=vendor)
    assert [(change.action, change.link.agent_id) for change in plan.changes] == [("link", "a")]
    assert [agent for warning in plan.warnings for agent in ("agent a", "agent b") if agent in warning]


@pytest.mark.parametrize("name", ["+15550100001", "+1 555 010 0001", number_id(1)])
def test_a_new_number_that_is_not_there_yet_is_waited_for(carry_out, clock, name) -> None:
    fake = FakeDasha()

    def appears(handle: Any, request: Any) -> Any:
        answer = handle(request)
        if not fake.numbers:
            fake.add(number_json(1, phoneNumber="+15550100001"))
        return answer

    fake.on("GET", f"/{number_id(1)}" if name == number_id(1) else "", appears)
    plan = carry_out(ROUTING.plan(routes((name, "agent-a"))), vendor=fake)
    assert [(change.action, change.link.number_id) for change in plan.changes] == [("link", number_id(1))]
    assert (clock.slept, len(fake.requests)) == ([patience.PAUSES[0]], 2)


def test_a_number_is_not_taken_from_a_third_agent_to_be_given_back(carry_out) -> None:
    vendor = FakeDasha(number_json(1, incomingCallsAgentId="a"), number_json(2, incomingCallsAgentId="b"))
    plan = carry_out(ROUTING.plan(routes((number_id(1), "b"), (number_id(2), "a"))), vendor=vendor)
    taken = faults.meanwhile(lambda: vendor.numbers[number_id(1)].update(incomingCallsAgentId="c"))
    vendor.on("PUT", f"{number_id(2)}/agent-link", faults.status(409))
    vendor.on("GET", number_id(1), faults.served, faults.served, taken)
    report = carry_out(ROUTING.apply(plan, lambda _: None, None), vendor=vendor)
    assert vendor.inbound == {number_id(1): "c", number_id(2): "b"}
    assert [result.state for result in report.results] == ["failed", "failed"]
    assert "agent a is left without a number" in report.summary
    assert "agent c has it now" in report.summary
    assert len(vendor.writes) == 1
