"""Registrations as the vendor shows them while time passes."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"
BODY = {"phoneNumber": "+15550100001", "credentialsId": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}


def status(dasha: httpx.Client, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = dasha.get(f"{NUMBERS}/{id_}").json()["registrationStatus"]
    assert dasha.get(NUMBERS).json()["items"][0]["registrationStatus"] == found
    return found


def expires_in(dasha: httpx.Client, sandbox: Sandbox, id_: str) -> float:
    expires_at = datetime.fromisoformat(status(dasha, id_)["expiresAt"].replace("Z", "+00:00"))
    return expires_at.timestamp() - sandbox.world.clock.now()


def test_a_number_registers_after_a_while(dasha: httpx.Client, sandbox: Sandbox) -> None:
    created = dasha.post(NUMBERS, json={**BODY, "registration": True}).json()
    assert created["registrationStatus"]["state"] == "Registering"
    sandbox.world.advance(1.9)
    assert status(dasha, created["id"])["state"] == "Registering"
    sandbox.world.advance(0.1)
    assert status(dasha, created["id"])["state"] == "Registered"
    assert 1700 < expires_in(dasha, sandbox, created["id"]) <= 3600


def test_it_stays_registered_for_days(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001", registration=True)
    for _ in range(5):
        sandbox.world.advance(86_400)
        assert status(dasha, id_)["state"] == "Registered"
        assert expires_in(dasha, sandbox, id_) > 1700


def test_a_plan_is_followed_once_the_number_is_created(dasha: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.world.plan_registration(
        "+15550100001", [(0, "Registering"), (3, "Failed", "No route to host", "408 Request Timeout")]
    )
    sandbox.world.advance(100)
    id_ = dasha.post(NUMBERS, json={**BODY, "registration": True}).json()["id"]
    assert status(dasha, id_)["state"] == "Registering"
    sandbox.world.advance(3)
    failed = status(dasha, id_)
    assert failed["state"] == "Failed"
    assert failed["errorDescription"] == "No route to host"
    assert failed["sipResponseMessage"] == "408 Request Timeout"


def test_a_registration_lapses(dasha: httpx.Client, sandbox: Sandbox) -> None:
    steps = [
        {"after": 0, "state": "Registered", "lifetime": 60, "renews": False},
        {"after": 300, "state": "Expired"},
    ]
    id_ = sandbox.world.dasha.add_number("+15550100001", steps=steps)
    assert 0 < expires_in(dasha, sandbox, id_) <= 60
    sandbox.world.advance(120)
    assert status(dasha, id_)["state"] == "Registered"
    assert expires_in(dasha, sandbox, id_) < -59
    sandbox.world.advance(180)
    assert status(dasha, id_)["state"] == "Expired"


def test_a_script_given_later_begins_now(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001", registration=True)
    sandbox.world.advance(1000)
    sandbox.world.dasha.script(id_, [(0, "Registering"), (5, "Registered")])
    assert status(dasha, id_)["state"] == "Registering"
    sandbox.world.advance(5)
    assert status(dasha, id_)["state"] == "Registered"


def test_a_number_without_registration_is_disabled_whatever_is_planned(
    dasha: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.world.plan_registration("+15550100001", [(0, "Registered")])
    id_ = dasha.post(NUMBERS, json=BODY).json()["id"]
    sandbox.world.advance(100)
    assert status(dasha, id_)["state"] == "Disabled"


@pytest.mark.parametrize(
    ("change", "restarts"),
    [
        ({"displayName": "Other"}, False),
        ({"phoneNumber": "+15550100002"}, True),
        ({"credentialsId": "0d44c3cc-0d44-4b50-8888-8dd25736052a"}, True),
    ],
)
def test_only_other_credentials_or_another_number_register_anew(
    dasha: httpx.Client, change: dict[str, Any], restarts: bool, sandbox: Sandbox
) -> None:
    id_ = dasha.post(NUMBERS, json={**BODY, "registration": True}).json()["id"]
    sandbox.world.advance(10)
    dasha.put(f"{NUMBERS}/{id_}", json={**BODY, "registration": True, **change})
    assert status(dasha, id_)["state"] == ("Registering" if restarts else "Registered")


def test_switching_registration_off_and_on_begins_anew(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = dasha.post(NUMBERS, json={**BODY, "registration": True}).json()["id"]
    sandbox.world.advance(10)
    states = []
    for registration in (False, True):
        dasha.put(f"{NUMBERS}/{id_}", json={**BODY, "registration": registration})
        states.append(status(dasha, id_)["state"])
    assert states == ["Disabled", "Registering"]


def test_time_passes_by_itself_unless_frozen(sandbox: Sandbox) -> None:
    clock = sandbox.world.clock
    clock.reset()
    start = clock.now()
    time.sleep(0.02)
    assert clock.now() > start
    clock.freeze()
    frozen = clock.now()
    clock.freeze()
    time.sleep(0.02)
    assert clock.now() == frozen
    clock.advance(5)
    assert clock.now() == frozen + 5


@pytest.mark.parametrize("seconds", [-1, 2e9, float("nan")])
def test_time_does_not_go_backwards_or_to_its_end(sandbox: Sandbox, seconds: float) -> None:
    with pytest.raises(ValueError):
        sandbox.world.advance(seconds)


def test_time_ends_before_it_cannot_be_written_down(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001", registration=True)
    with pytest.raises(ValueError, match="9000"):  # noqa: PT012 - it takes many steps to get there
        for _ in range(300):
            sandbox.world.advance(1e9)
    assert status(dasha, id_)["state"] == "Registered"
