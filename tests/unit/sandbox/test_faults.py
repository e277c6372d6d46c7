"""Each kind of fault, over a real socket: what the client meets, and what the world is like afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_phonelink.sandbox import Fault
from airflow_provider_phonelink.sandbox.answers import Wire
from airflow_provider_phonelink.sandbox.fault_kinds import EXECUTORS
from airflow_provider_phonelink.sandbox.faults import KINDS, PREVENTING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox import Sandbox
    from airflow_provider_phonelink.sandbox.world import World

NUMBERS = "/api/v1/sip-phone-numbers"
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)
WHEN = pytest.mark.parametrize("when", ["before", "after"])


@pytest.fixture
def number(sandbox: Sandbox) -> str:
    return sandbox.world.dasha.add_number("+15550100001")


@pytest.fixture
def link(dasha: httpx.Client, number: str) -> Callable[[], httpx.Response]:
    return lambda: dasha.put(f"{NUMBERS}/{number}/agent-link", params={"agentId": "agent-a"})


def linked(sandbox: Sandbox) -> bool:
    (links,) = sandbox.world.dasha.links().values()
    return links == ("agent-a", [])


def test_every_kind_has_an_executor() -> None:
    assert set(EXECUTORS) == set(KINDS)


# Statuses


@WHEN
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_status(sandbox: Sandbox, link: Callable[[], httpx.Response], when: Any, status: int) -> None:
    sandbox.faults.add(Fault("status", status=status, headers={"Retry-After": "7"}, when=when))
    response = link()
    assert (response.status_code, response.headers["retry-after"]) == (status, "7")
    assert response.headers["content-type"] == "application/problem+json"
    assert linked(sandbox) == (when == "after")
    assert link().status_code == 200


def test_status_speaks_the_vendors_language_or_the_tests(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("status", vendor="callingbox", status=502))
    sandbox.faults.add(Fault("status", vendor="callingbox", status=599, body="not even JSON", nth=2))
    assert list(callingbox.get("/v1/agents").json()) == ["error"]
    strange = callingbox.get("/v1/agents")
    assert (strange.status_code, strange.text) == (599, "not even JSON")


@WHEN
@pytest.mark.parametrize(("status", "expected"), [(None, 200), (502, 502)])
def test_html(
    sandbox: Sandbox, link: Callable[[], httpx.Response], when: Any, status: int | None, expected: int
) -> None:
    sandbox.faults.add(Fault("html", status=status, when=when))
    response = link()
    assert response.status_code == expected
    assert response.headers["content-type"] == "text/html"
    assert response.text.startswith("<html>")
    assert linked(sandbox) == (when == "after")


@WHEN
def test_redirect(sandbox: Sandbox, link: Callable[[], httpx.Response], number: str, when: Any) -> None:
    sandbox.faults.add(Fault("redirect", location="http://other.invalid/", when=when))
    response = link()
    assert response.status_code == 307
    assert (
        response.headers["location"] == f"http://other.invalid{NUMBERS}/{number}/agent-link?agentId=agent-a"
    )
    assert linked(sandbox) == (when == "after")


def test_redirect_of_a_path_that_has_to_be_quoted(sandbox: Sandbox, callingbox: httpx.Client) -> None:
    sandbox.faults.add(Fault("redirect", location="http://other.invalid"))
    response = callingbox.get("/v1/agents/%E2%86%92%0d%0a")
    assert response.headers["location"] == "http://other.invalid/v1/agents/%E2%86%92%0D%0A"


# Connections


@WHEN
@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_drop(
    sandbox: Sandbox, link: Callable[[], httpx.Response], when: Any, reset: bool, error: type[Exception]
) -> None:
    sandbox.faults.add(Fault("drop", when=when, reset=reset))
    with pytest.raises(error):
        link()
    assert linked(sandbox) == (when == "after")
    (entry,) = sandbox.journal
    assert (entry.status, entry.changed, entry.faults) == (None, when == "after", ("drop",))
    assert link().status_code == 200


@WHEN
def test_hang_ends_when_the_client_leaves(
    sandbox: Sandbox, link: Callable[[], httpx.Response], dasha: httpx.Client, when: Any
) -> None:
    sandbox.faults.add(Fault("hang", when=when))
    dasha.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        link()
    assert linked(sandbox) == (when == "after")
    dasha.timeout = 5
    assert link().status_code == 200


def test_hanging_up_on_a_client_that_has_left_is_no_error() -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError("nothing is to be sent or received")

    scope = {"client": ("127.0.0.1", 1)}
    asyncio.run(Wire(scope, never, never, list).hang_up())


def test_hang_ends_when_the_sandbox_is_reset(sandbox: Sandbox, link: Callable[[], httpx.Response]) -> None:
    sandbox.faults.add(Fault("hang"))
    timer = threading.Timer(0.2, sandbox.reset)
    timer.start()
    with pytest.raises(BROKEN):  # and not a timeout
        link()
    timer.join()


@WHEN
def test_cut(sandbox: Sandbox, link: Callable[[], httpx.Response], when: Any) -> None:
    sandbox.faults.add(Fault("cut", when=when))
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        link()
    assert linked(sandbox) == (when == "after")


def test_slow(sandbox: Sandbox, link: Callable[[], httpx.Response]) -> None:
    sandbox.faults.add(Fault("slow", seconds=0.3))
    start = time.monotonic()
    assert link().status_code == 200
    assert time.monotonic() - start >= 0.3
    assert linked(sandbox)


@WHEN
def test_slow_takes_effect_at_the_end_or_at_once(
    sandbox: Sandbox, link: Callable[[], httpx.Response], dasha: httpx.Client, when: Any
) -> None:
    sandbox.faults.add(Fault("slow", seconds=0.5, when=when))
    dasha.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        link()
    assert linked(sandbox) == (when == "after")


def test_slow_and_dripping_answers_end_when_the_sandbox_is_reset(
    sandbox: Sandbox, link: Callable[[], httpx.Response], dasha: httpx.Client
) -> None:
    for kind in ("slow", "drip"):
        sandbox.faults.add(Fault(kind, seconds=60))
        timer = threading.Timer(0.2, sandbox.reset)
        timer.start()
        dasha.get(NUMBERS)  # which would time out
        timer.join()


def test_drip(sandbox: Sandbox, dasha: httpx.Client, number: str) -> None:
    sandbox.faults.add(Fault("drip", seconds=0.4))
    pieces, start = [], time.monotonic()
    with dasha.stream("GET", f"{NUMBERS}/{number}") as response:
        pieces = list(response.iter_raw())
    assert len(pieces) > 5
    assert time.monotonic() - start > 0.3
    assert json.loads(b"".join(pieces))["id"] == number


# Bodies


@WHEN
def test_broken_json(sandbox: Sandbox, link: Callable[[], httpx.Response], when: Any) -> None:
    sandbox.faults.add(Fault("broken_json", when=when))
    response = link()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError):
        response.json()
    assert linked(sandbox) == (when == "after")


def test_broken_json_breaks_empty_answers_too(sandbox: Sandbox, link: Callable[[], httpx.Response]) -> None:
    sandbox.set(write_answers="empty")
    sandbox.faults.add(Fault("broken_json", when="after"))
    with pytest.raises(ValueError):
        link().json()


@WHEN
def test_wrong_id(sandbox: Sandbox, link: Callable[[], httpx.Response], number: str, when: Any) -> None:
    sandbox.faults.add(Fault("wrong_id", when=when))
    document = link().json()
    assert document["id"] != number
    assert document["incomingCallsAgentId"] == "agent-a"
    assert linked(sandbox) == (when == "after")


def test_edit(sandbox: Sandbox, dasha: httpx.Client, number: str) -> None:
    sandbox.faults.add(Fault("edit", merge={"totalCount": 99}, remove=("phoneNumber",), count=2))
    page = dasha.get(NUMBERS).json()
    assert (page["totalCount"], "phoneNumber" in page["items"][0]) == (99, False)
    single = dasha.get(f"{NUMBERS}/{number}").json()
    assert (single["totalCount"], "phoneNumber" in single) == (99, False)


@pytest.mark.parametrize("kind", ["edit", "wrong_id", "endless", "repeat_items", "shift_items"])
def test_what_cannot_be_edited_is_left_alone(
    sandbox: Sandbox, dasha: httpx.Client, callingbox: httpx.Client, kind: Any
) -> None:
    sandbox.faults.add(Fault(kind, count=None))
    assert dasha.get(f"{NUMBERS}/x").json()["status"] == 400
    assert callingbox.get("/v1/numbers").json() == []
    if kind != "wrong_id":
        assert callingbox.get("/v1/agents").json() == {"data": []}


# Writes that do nothing


@pytest.mark.parametrize("claim", [False, True])
def test_ignored(sandbox: Sandbox, link: Callable[[], httpx.Response], number: str, claim: bool) -> None:
    sandbox.faults.add(Fault("ignored", claim=claim))
    response = link()
    assert (response.status_code, response.json()["id"]) == (200, number)
    assert response.json()["incomingCallsAgentId"] == ("agent-a" if claim else None)
    assert not linked(sandbox)
    assert sandbox.journal.writes() == []
    assert link().json()["incomingCallsAgentId"] == "agent-a"


def test_ignored_create_answers_a_number_that_does_not_exist(sandbox: Sandbox, dasha: httpx.Client) -> None:
    sandbox.faults.add(Fault("ignored", method="POST"))
    body = {"phoneNumber": "+15550100002", "credentialsId": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}
    created = dasha.post(NUMBERS, json=body)
    assert created.status_code == 201
    assert dasha.get(f"{NUMBERS}/{created.json()['id']}").status_code == 404
    assert dasha.post(NUMBERS, json=body).status_code == 201


def test_ignored_delete_leaves_number_and_links(sandbox: Sandbox, dasha: httpx.Client) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100002", inbound="agent-a", outbound=["agent-a", "agent-b"])
    sandbox.faults.add(Fault("ignored", claim=True))
    assert dasha.delete(f"{NUMBERS}/{id_}", params={"force": "true"}).status_code == 204
    assert sandbox.world.dasha.links()[id_] == ("agent-a", ["agent-a", "agent-b"])


def test_ignored_refusals_are_refusals(sandbox: Sandbox, dasha: httpx.Client) -> None:
    sandbox.faults.add(Fault("ignored"))
    assert dasha.delete(f"{NUMBERS}/3c90c3cc-0d44-4b50-8888-8dd25736052a/agent-link").status_code == 404


def test_ignored_at_callingbox(sandbox: Sandbox, callingbox: httpx.Client) -> None:
    world = sandbox.world.callingbox
    world.add_agent("inbound", id="agt")
    world.add_number("+15550100101", id="pn", agents=["agt"])
    sandbox.faults.add(Fault("ignored", method="DELETE"))
    agent = callingbox.delete("/v1/agents/agt/numbers/pn").json()
    assert [number["id"] for number in agent["numbers"]] == ["pn"]
    assert world.links() == {"pn": ("agt", [])}


# Lists


@pytest.fixture
def fleet(sandbox: Sandbox) -> list[str]:
    return [sandbox.world.dasha.add_number(f"+1555{i:04}") for i in range(10)]


def page(dasha: httpx.Client, skip: int, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = dasha.get(NUMBERS, params={"skip": skip, "take": 4, **params}).json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [number["id"] for number in found["items"]]


def test_repeat_items(sandbox: Sandbox, dasha: httpx.Client, fleet: list[str]) -> None:
    sandbox.faults.add(Fault("repeat_items", items=2))
    found = page(dasha, 4)
    assert ids(found) == [*fleet[4:8], *fleet[4:6]]
    assert found["totalCount"] == 10


def test_shift_items(sandbox: Sandbox, dasha: httpx.Client, fleet: list[str]) -> None:
    sandbox.faults.add(Fault("shift_items", items=3, count=None))
    assert ids(page(dasha, 0)) == fleet[0:4]
    found = page(dasha, 4, unlinkedOnly="true")
    assert (ids(found), found["skip"]) == (fleet[1:5], 4)
    assert ids(page(dasha, 8)) == fleet[5:9]


def test_faults_show_each_organisation_its_own(sandbox: Sandbox, fleet: list[str]) -> None:
    sandbox.allow_key("dasha", "other", organisation="org-b")
    own = [sandbox.world.organisation("org-b").add_number(f"+1666{i}") for i in range(3)]
    sandbox.faults.add(Fault("shift_items", count=None))
    headers = {"Authorization": "Bearer other"}
    page = httpx.get(f"{sandbox.url}{NUMBERS}?skip=1&take=2", headers=headers).json()
    assert [number["id"] for number in page["items"]] == own[:2]


@pytest.mark.parametrize("invent", [False, True])
def test_endless(sandbox: Sandbox, dasha: httpx.Client, fleet: list[str], invent: bool) -> None:
    sandbox.faults.add(Fault("endless", invent=invent, count=None))
    seen: list[str] = []
    for skip in range(0, 80, 4):
        found = page(dasha, skip)
        assert len(found["items"]) == 4
        assert found["totalCount"] > skip + 4
        seen += ids(found)
    assert len(set(seen)) == (80 if invent else 10)


def test_a_list_without_items_is_not_endless(sandbox: Sandbox, dasha: httpx.Client) -> None:
    sandbox.faults.add(Fault("endless"))
    assert page(dasha, 0)["items"] == []


# How often, and to which requests


def test_rate_limit(sandbox: Sandbox, dasha: httpx.Client) -> None:
    sandbox.faults.add(Fault("rate_limit", rate=3, headers={"Retry-After": "1"}, count=None))
    answers = [dasha.get(NUMBERS) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    time.sleep(1.05)
    assert dasha.get(NUMBERS).status_code == 200


def test_nth_and_count(sandbox: Sandbox, dasha: httpx.Client) -> None:
    armed = sandbox.faults.add(Fault("status", status=500, nth=2, count=2))
    assert [dasha.get(NUMBERS).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert (armed.seen, armed.fired, sandbox.faults.fired) == (5, 2, 2)


def test_count_none_strikes_until_it_is_taken_out_of_force(sandbox: Sandbox, dasha: httpx.Client) -> None:
    armed = sandbox.faults.add(Fault("status", status=500, count=None))
    other = sandbox.faults.add(Fault("status", status=503, nth=6))
    assert [dasha.get(NUMBERS).status_code for _ in range(5)] == [500] * 5
    sandbox.faults.remove(armed)
    assert sandbox.faults.armed == [other]
    assert [dasha.get(NUMBERS).status_code for _ in range(2)] == [503, 200]
    sandbox.faults.add(Fault("status", status=500, count=None))
    sandbox.faults.clear()
    assert dasha.get(NUMBERS).status_code == 200
    assert sandbox.faults.fired == 0


@pytest.mark.parametrize(
    ("which", "strikes"),
    [
        ({}, True),
        ({"vendor": "dasha"}, True),
        ({"vendor": "callingbox"}, False),
        ({"method": "put"}, True),
        ({"method": "GET"}, False),
        ({"path": "/agent-link$"}, True),
        ({"path": "^/v1"}, False),
    ],
)
def test_matching(
    sandbox: Sandbox, link: Callable[[], httpx.Response], which: dict[str, Any], strikes: bool
) -> None:
    sandbox.faults.add(Fault("status", status=500, **which))
    assert link().status_code == (500 if strikes else 200)


def test_several_faults_strike_one_request_the_first_outermost(
    sandbox: Sandbox, link: Callable[[], httpx.Response], number: str
) -> None:
    order: list[str] = []
    sandbox.faults.meanwhile(lambda world: order.append("outer"))
    sandbox.faults.add(Fault("drop", when="after"))
    sandbox.faults.meanwhile(lambda world: order.append("inner"))
    with pytest.raises(BROKEN):
        link()
    assert order == ["outer", "inner"]
    assert linked(sandbox)
    assert [entry.faults for entry in sandbox.journal] == [("meanwhile", "drop", "meanwhile")]


def test_faults_come_before_the_key_is_looked_at(sandbox: Sandbox, number: str) -> None:
    sandbox.faults.add(Fault("status", status=503))
    answers = [httpx.get(f"{sandbox.url}{NUMBERS}").status_code for _ in range(2)]
    assert answers == [503, 401]


@pytest.mark.parametrize("kind", sorted(PREVENTING - {"hang"}))
@WHEN
def test_a_fault_without_key_changes_nothing(sandbox: Sandbox, number: str, kind: Any, when: Any) -> None:
    sandbox.faults.add(Fault(kind, when=when, status=500 if kind == "status" else None))
    with contextlib.suppress(*BROKEN):
        httpx.put(f"{sandbox.url}{NUMBERS}/{number}/agent-link", params={"agentId": "agent-a"})
    assert not linked(sandbox)


# Somebody else


@WHEN
def test_meanwhile_runs_code_around_a_request(
    sandbox: Sandbox, link: Callable[[], httpx.Response], number: str, when: Any
) -> None:
    def take_over(world: World) -> None:
        world.dasha.link(number, "agent-x")

    armed = sandbox.faults.meanwhile(take_over, method="PUT", nth=2, when=when)
    assert link().json()["incomingCallsAgentId"] == "agent-a"
    assert armed.fired == 0
    assert link().json()["incomingCallsAgentId"] == "agent-a"
    assert armed.fired == 1
    assert sandbox.world.dasha.links()[number][0] == ("agent-a" if when == "before" else "agent-x")
    # Before the second link agent-x had taken over, so that link changed something.
    assert [entry.changed for entry in sandbox.journal] == [True, when == "before"]


def test_meanwhile_sends_requests_that_are_not_in_the_journal(
    sandbox: Sandbox, link: Callable[[], httpx.Response], number: str
) -> None:
    world = sandbox.world.callingbox
    world.add_agent("inbound", id="agt")
    world.add_number("+15550100101", id="pn")
    calls = (
        f"PUT {NUMBERS}/{number}/agent-link?agentId=agent-x&mode=replaceOutbound",
        'POST /v1/agents/agt/numbers {"number_id": "pn"}',
    )
    sandbox.faults.add(Fault("meanwhile", calls=calls))
    assert link().status_code == 200
    assert sandbox.world.dasha.links()[number] == ("agent-a", ["agent-x"])
    assert world.attached("agt") == ["pn"]
    assert len(sandbox.journal) == 1


# Faults that make no sense


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "status"},
        {"kind": "drop", "when": "during"},
        {"kind": "drop", "nth": 0},
        {"kind": "drop", "count": 0},
        {"kind": "drop", "path": "("},
    ],
)
def test_faults_that_cannot_happen_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Fault(**wrong)
