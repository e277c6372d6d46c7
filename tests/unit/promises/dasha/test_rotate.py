from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from unit.api import faults
from unit.api.fake_dasha import CREDENTIALS, PROVIDER, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS
from airflow_provider_phonelink.decisions.registration import RegistrationRules
from airflow_provider_phonelink.decisions.rotation import demand_healthy
from airflow_provider_phonelink.promises.dasha.rotate import (
    rotate_to,
    survey,
)

RULES = RegistrationRules(("Registered",), ("Failed",))
ONE, TWO, THREE, FOUR = (number_id(i) for i in range(1, 5))
REGISTERED = {"state": "Registered"}
LINK = "/agent-link"


def number(index: int, state: str = "Registered", **fields):
    return number_json(index, registration=True, registrationStatus={"state": state}, **fields)


def vendor(*states: str, outbound: dict[str, str] | None = None, **options) -> FakeDasha:
    numbers = [number(i, state) for i, state in enumerate(states or ["Registered"] * 3, start=1)]
    return FakeDasha(*numbers, outbound={"agent": ONE} if outbound is None else outbound, **options)


def looked(carry_out, fake, pool=(ONE, TWO, THREE), **options):
    return carry_out(survey("agent", pool, RULES, **options), vendor=fake)


def test_a_pool_as_it_is(carry_out) -> None:
    fake = vendor("Registered", "Failed", "Registering")
    found = looked(carry_out, fake, [ONE, TWO.upper(), THREE, number_id(9), ONE], quarantine=[ONE.upper()])
    assert found.previous == ONE
    assert list(found.pool.number_ids) == [ONE, TWO, THREE, number_id(9)]
    assert found.pool.healthy == []
    reasons = found.pool.skipped
    assert reasons[ONE] == f"+15550000001 (id {ONE}): in quarantine"
    assert "Failed" in reasons[TWO]
    assert "Registering" in reasons[THREE]
    assert "no such number" in reasons[number_id(9)]
    assert fake.writes == []


def test_an_expired_registration_is_not_healthy(carry_out) -> None:
    past = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    fake = FakeDasha(number_json(1, registrationStatus={**REGISTERED, "expiresAt": past}))
    assert "expired" in looked(carry_out, fake, [ONE]).pool.skipped[ONE]


@pytest.mark.parametrize("counts", [True, False])
def test_a_number_without_registration(carry_out, counts) -> None:
    fake = FakeDasha(number_json(1))
    assert bool(looked(carry_out, fake, [ONE], healthy_without_registration=counts).pool.healthy) is counts


@pytest.mark.parametrize(
    ("pool", "members"),
    [
        ({"display_name_prefix": "Campaign "}, [ONE, TWO]),
        ({"description_tag": "#spring"}, [TWO, THREE]),
        ({"provider_id": PROVIDER.upper()}, [ONE, THREE]),
        ({"provider_id": PROVIDER, "description_tag": "#spring"}, [THREE]),
    ],
)
def test_a_filter_has_its_numbers_in_an_order_that_stays(carry_out, pool, members) -> None:
    fake = FakeDasha(
        number(3, providerId=PROVIDER, description="x #spring"),
        number(2, displayName="Campaign two", description="#spring"),
        number(1, displayName="Campaign one", providerId=PROVIDER),
        number(4, displayName="Campaigns"),
    )
    assert list(looked(carry_out, fake, pool).pool.number_ids) == members


@pytest.mark.parametrize(
    "pool",
    [
        [], None, {}, {"name": "x"}, {"display_name_prefix": ""}, {"description_tag": None}, {"provider_id": "None"},
        {"display_name_prefix": ["x"]}, "", "nonsense", "[1, 2", "{'provider_id': ''}", [None],
    ],
)  # fmt: skip
def test_a_pool_that_is_none_sends_nothing(carry_out, pool) -> None:
    fake = vendor()
    with pytest.raises(errors.InvalidArgumentError):
        looked(carry_out, fake, pool)
    assert fake.requests == []


@pytest.mark.parametrize(
    "pool", [f"{ONE},{TWO}", f"['{ONE}', '{TWO}']", f'["{ONE}", "{TWO}"]', f" {ONE} , {TWO},"]
)
def test_a_pool_may_come_out_of_a_template_as_text(carry_out, pool) -> None:
    found = looked(carry_out, vendor(), pool, quarantine=f'["{TWO}"]', scope=f"{THREE}")
    assert (list(found.pool.number_ids), found.pool.healthy) == ([ONE, TWO], [ONE])


@pytest.mark.parametrize("nothing", ["[]", [], ()])
def test_nobody_in_quarantine(carry_out, nothing) -> None:
    assert looked(carry_out, vendor(), quarantine=nothing, scope=nothing).pool.skipped == {}


def test_a_filter_that_matches_nothing_is_an_unhealthy_pool(carry_out) -> None:
    with pytest.raises(errors.PoolUnhealthyError, match=r"Nothing was changed") as caught:
        looked(carry_out, vendor(), {"display_name_prefix": "x"})
    assert caught.value.retry_helps


def test_the_number_before_may_be_in_the_scope_only(carry_out) -> None:
    fake = vendor(*["Registered"] * 4, outbound={"agent": FOUR, "other": ONE})
    assert looked(carry_out, fake).previous is None
    assert looked(carry_out, fake, scope=[FOUR, number_id(9)]).previous == FOUR


def test_requests_are_few(carry_out) -> None:
    fake = vendor()
    looked(carry_out, fake)
    assert sorted(fake.requests) == sorted(
        [
            f"GET {NUMBERS}",
            f"GET /api/v1/sip-credentials/{CREDENTIALS}/affected-agents",
            *(f"GET {NUMBERS}/{i}/affected-agents" for i in (ONE, TWO, THREE)),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("least", "enough"), [(1, True), (2, True), (3, False)])
def test_min_healthy(carry_out, least, enough) -> None:
    found = looked(carry_out, vendor("Registered", "Failed", "Registered"))
    if enough:
        demand_healthy(found.pool, least, found.name(ONE))
        return
    with pytest.raises(
        errors.PoolUnhealthyError, match=r"2 of 3 .* 3 are demanded.*Nothing was changed.*Failed"
    ) as caught:
        demand_healthy(found.pool, least, found.name(ONE))
    assert caught.value.retry_helps


@pytest.mark.parametrize(
    ("literal", "previous", "suspected"),
    [
        ("outbound", ONE, None),
        ("ReplaceOutbound", ONE, None),
        ("callerId", None, ONE),
        ("inbound", None, None),
    ],
)
def test_how_the_vendor_calls_an_outbound_link(carry_out, literal, previous, suspected) -> None:
    found = looked(carry_out, vendor(outbound_literal=literal))
    assert (found.previous, found.suspected) == (previous, suspected)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("options", [{}, {"empty_bodies": True}, {"outbound_literal": "callerId"}])
def test_rotating_is_one_write(carry_out, options, verify) -> None:
    fake = vendor(**options)
    found = looked(carry_out, fake)
    rotated = carry_out(rotate_to("agent", TWO, found, verify=verify), vendor=fake)
    assert (fake.outbound, len(fake.writes)) == ({"agent": TWO}, 1)
    result = rotated.result()
    assert result.keys() == {"current", "previous", "changed", "skipped", "pool_size"}
    assert (result["current"]["id"], result["changed"], result["pool_size"]) == (TWO, True, 3)
    unknown = "outbound_literal" in options
    assert result["previous"] == (None if unknown else ONE)
    before = "one that is not known" if unknown else f"+15550000001 (id {ONE})"
    assert f"before this run, it was {before}. 0 of 3 numbers of the pool were skipped" in rotated.summary


def test_what_is_so_already_is_not_written(carry_out) -> None:
    fake = vendor()
    rotated = carry_out(rotate_to("agent", ONE, looked(carry_out, fake)), vendor=fake)
    assert (rotated.changed, rotated.previous, fake.writes) == (False, ONE, [])


def test_a_link_with_an_unknown_literal_does_not_save_the_write(carry_out) -> None:
    fake = vendor(outbound_literal="callerId")
    assert carry_out(rotate_to("agent", ONE, looked(carry_out, fake)), vendor=fake).changed
    assert len(fake.writes) == 1


@pytest.mark.parametrize(
    "open_",
    [faults.lost_before, faults.lost_after, faults.html_after, faults.status(502), faults.status(429)],
)
def test_an_open_outcome_is_tried_again(carry_out, open_) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("PUT", LINK, open_)
    carry_out(rotate_to("agent", TWO, found), vendor=fake)
    assert fake.outbound == {"agent": TWO}


def refused(carry_out, fake, found):
    with pytest.raises(errors.NotTakenEffectError) as caught:
        carry_out(rotate_to("agent", TWO, found), vendor=fake)
    assert caught.value.retry_helps
    return str(caught.value)


def test_the_number_before_is_put_back_when_the_proof_fails(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("GET", f"{TWO}/affected-agents", faults.status(403))
    message = refused(carry_out, fake, found)
    assert (fake.outbound, len(fake.writes)) == ({"agent": ONE}, 2)
    assert "403" in message
    assert f"The number before, +15550000001 (id {ONE}), was put back, and the agent has it" in message


def test_a_write_that_the_vendor_ignored_needs_nothing_put_back(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("PUT", LINK, faults.status(200, json=number(2)))
    message = refused(carry_out, fake, found)
    assert (fake.outbound, fake.writes) == ({"agent": ONE}, [])
    assert f"The agent still has the number before, +15550000001 (id {ONE})." in message


def test_putting_back_fails_too(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("GET", f"{TWO}/affected-agents", faults.status(403))
    fake.on("PUT", LINK, faults.served, faults.status(409))
    message = refused(carry_out, fake, found)
    assert "back failed, too" in message
    assert "not known which one it has now" in message


def test_putting_back_cannot_be_confirmed_either(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("GET", "affected-agents", *[faults.status(403)] * 9)  # whichever is asked
    message = refused(carry_out, fake, found)
    assert fake.outbound == {"agent": ONE}
    assert "could not be confirmed either" in message


def test_what_somebody_else_gave_the_agent_meanwhile_is_left(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake)
    fake.on("GET", f"{TWO}/affected-agents", faults.meanwhile(lambda: fake.outbound.update(agent=THREE)))
    message = refused(carry_out, fake, found)
    assert f"By now the agent has +15550000003 (id {THREE}) of the pool" in message
    assert fake.outbound == {"agent": THREE}
    assert len(fake.writes) == 1


def test_nothing_is_put_back_when_the_number_before_is_not_known(carry_out) -> None:
    fake = vendor(outbound={"agent": FOUR})
    found = looked(carry_out, fake)
    fake.on("GET", f"{TWO}/affected-agents", faults.status(403))
    message = refused(carry_out, fake, found)
    assert (fake.outbound, len(fake.writes)) == ({"agent": TWO}, 1)
    assert "nothing was put back" in message


@pytest.mark.parametrize("agent", ["", None, "a/b"])
def test_an_agent_id_that_is_none_sends_nothing(carry_out, agent) -> None:
    fake = vendor()
    with pytest.raises(errors.InvalidArgumentError):
        carry_out(survey(agent, [ONE], RULES), vendor=fake)
    assert fake.requests == []
