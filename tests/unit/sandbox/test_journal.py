from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from airflow_provider_phonelink.sandbox import Fault
from airflow_provider_phonelink.sandbox.journal import BODY_LIMIT, Entry, Journal

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"
BODY = {"phoneNumber": "+15550100001", "credentialsId": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}


def test_a_request_is_noted_with_all_but_its_headers(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = dasha.post(NUMBERS, json=BODY).json()["id"]
    agent = "a&b=ü"
    response = dasha.put(f"{NUMBERS}/{id_}/agent-link?agentId={quote(agent)}&mode=inbound")
    create, link = sandbox.journal
    assert (create.n, create.vendor, create.method, create.path) == (1, "dasha", "POST", NUMBERS)
    assert (create.body, create.status, create.changed) == (BODY, 201, True)
    assert (link.query, link.body) == ({"agentId": agent, "mode": "inbound"}, None)
    assert link.time == sandbox.world.clock.now()
    assert link.request_id == response.headers["x-request-id"] != create.request_id
    assert sandbox.dasha_key not in repr(list(sandbox.journal))
    assert sandbox.dasha_key not in repr([entry.as_dict() for entry in sandbox.journal])


def test_requests_are_found_by_method_path_vendor_and_number(
    dasha: httpx.Client, callingbox: httpx.Client, sandbox: Sandbox
) -> None:
    dasha.get(NUMBERS)
    callingbox.get("/v1/agents")
    dasha.delete(f"{NUMBERS}/x")
    journal = sandbox.journal
    assert [entry.n for entry in journal.requests()] == [1, 2, 3]
    assert [entry.n for entry in journal.requests(method="GET")] == [1, 2]
    assert [entry.n for entry in journal.requests(vendor="callingbox")] == [2]
    assert [entry.n for entry in journal.requests(path="numbers$")] == [1]
    assert [entry.n for entry in journal.requests(since=2)] == [3]
    assert [entry.status for entry in journal] == [200, 200, 400]
    assert journal.writes() == []
    with pytest.raises(ValueError, match="bracket"):
        journal.requests(path="(")


def test_a_request_that_hangs_is_in_the_journal_already(dasha: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("hang"))
    dasha.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        dasha.get(NUMBERS)
    (entry,) = sandbox.journal
    assert (entry.status, entry.faults) == (None, ("hang",))


def test_the_sandboxs_own_endpoints_are_not_in_it(control: httpx.Client, sandbox: Sandbox) -> None:
    control.get("state")
    httpx.get(f"{sandbox.url}/docs")
    assert len(sandbox.journal) == 0


def test_memory_is_bounded() -> None:
    journal = Journal(cap=3)
    for i in range(5):
        journal.record(Entry(0, 0.0, "dasha", "GET", f"/{i}", raw_body=b"x" * (BODY_LIMIT + 1)))
    assert [entry.path for entry in journal] == ["/2", "/3", "/4"]
    assert (len(journal), journal.total) == (3, 5)
    assert max(len(entry.raw_body) for entry in journal) < 100
    journal.clear()
    assert (len(journal), journal.total) == (0, 0)
    with pytest.raises(ValueError, match="cap"):
        Journal(cap=0)


@pytest.mark.parametrize(
    ("raw", "body"), [(b"", None), (b'{"a": 1}', {"a": 1}), (b"no json", "no json"), (b"\xff", "�")]
)
def test_bodies_are_shown_as_what_they_are(raw: bytes, body: object) -> None:
    assert Entry(1, 0.0, "dasha", "POST", "/", raw_body=raw).body == body
