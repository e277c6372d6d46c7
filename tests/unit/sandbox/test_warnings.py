"""Many people's pytest makes warnings errors: no request makes any, whatever FastAPI and pydantic are installed."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import httpx
from airflow_provider_phonelink.sandbox import Sandbox

CREDENTIALS = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
with Sandbox(seed="demo") as sandbox:
    sandbox.openapi()
    world = sandbox.world
    number = next(iter(world.dasha.numbers))
    provider = world.dasha.trunks.add_provider()
    bought = world.dasha.add_number("+1555", provider_id=provider)
    numbers = "/api/v1/sip-phone-numbers"
    body = {"phoneNumber": "+1", "credentialsId": CREDENTIALS, "displayName": "A"}
    page = {"skip": 1, "take": 2}
    requests = [
        ("GET", numbers, {"params": {**page, "linkedAgentId": "a", "unlinkedOnly": "true", "providerId": provider}}),
        ("POST", numbers, {"json": body}),
        ("PUT", f"{numbers}/{number}", {"json": {**body, "phoneNumber": "+2"}}),
        ("PUT", f"{numbers}/{number}/agent-link", {"params": {"agentId": "a", "mode": "inbound"}}),
        ("DELETE", f"{numbers}/{number}/agent-link", {"params": {"agentId": "a", "mode": "inbound"}}),
        ("GET", f"{numbers}/{number}/affected-agents", {}),
        ("DELETE", f"{numbers}/{number}", {"params": {"force": "true"}}),
        ("GET", "/api/v1/sip-credentials", {"params": page}),
        ("GET", f"/api/v1/sip-credentials/{CREDENTIALS}/affected-agents", {}),
        ("GET", "/api/v1/agents", {"params": page}),
        ("GET", f"/api/v1/providers/{provider}", {}),
        ("DELETE", f"/api/v1/providers/twilio/{provider}/phone-numbers/{bought}", {"params": {"force": "false"}}),
        ("GET", "/v1/agents", {"params": {"type": "inbound", "limit": 1}}),
        ("GET", "/v1/numbers", {"params": {"starting_after": "pn_spare"}}),
        ("POST", "/v1/agents/agt_reminders/numbers", {"json": {"number_id": "pn_spare", "set_as_primary": True}}),
        ("PUT", "/v1/agents/agt_reminders/primary-number", {"json": {"number_id": "pn_spare"}}),
        ("GET", "/_sandbox/state", {"params": {"format": "text"}}),
        ("GET", "/_sandbox/journal", {"params": {"writes": "true"}}),
        ("POST", "/_sandbox/registrations", {"json": {"phone_number": "+1", "steps": [{"after": 0, "state": "x"}]}}),
        ("POST", "/_sandbox/clock", {"json": {"advance": 1}}),
        ("PATCH", "/_sandbox/switches", {"json": {"callingbox_sparse": True}}),
        ("POST", "/_sandbox/faults", {"json": {"kind": "drop", "headers": {"a": "b"}}}),
    ]
    for method, path, options in requests:
        key = sandbox.dasha_key if path.startswith("/api/") else sandbox.callingbox_key
        headers = {"Authorization": f"Bearer {key}"}
        response = httpx.request(method, sandbox.url + path, headers=headers, **options)
        assert response.is_success, (method, path, response.status_code, response.text)
    print(len(requests))
"""


def test_the_request_models_warn_of_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "22", "")
