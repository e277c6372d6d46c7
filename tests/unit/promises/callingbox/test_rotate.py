from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from unit.api import faults
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.decisions.rotation import Asked, RotationRules
from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run
from airflow_provider_phonelink.promises.callingbox.rotate import CallingBoxCallerId
from airflow_provider_phonelink.promises.rotation import rotate

NIGHT = datetime(2026, 3, 1, 3, tzinfo=timezone.utc)
PRIMARY = "/primary-number"
SETTINGS = callingbox_settings()


def vendor(**options) -> FakeCallingBox:
    fake = FakeCallingBox(
        agents={"out": "outbound", "in": "inbound"},
        numbers={"n3": ["out"], "n1": ["out", "in"], "n2": ["out"], "other": ["in"]},
        **options,
    )
    fake.account.set_primary("out", "n1")
    return fake


def primary(fake: FakeCallingBox) -> str | None:
    return fake.account.get_agent("out").primary_number


def looked(carry_out, fake, pool=None, *, agent="out", quarantine=()):
    return carry_out(CallingBoxCallerId(agent, pool, quarantine).look(), vendor=fake, settings=SETTINGS)


def rotated(carry_out, fake, night=0, memory=None, *, pool=None, quarantine=(), verify=True, rules=None):
    run = Run("dag", "rotate", f"run-{night}", NIGHT + timedelta(days=night))
    flow = rotate(
        CallingBoxCallerId("out", pool, quarantine),
        Asked("out", run.at, run),
        rules or RotationRules(),
        verify=verify,
        memory=memory or Memory(),
    )
    outcome = carry_out(flow, vendor=fake, settings=SETTINGS)
    return outcome, outcome.memory.done_by(run)


@pytest.mark.parametrize(
    "options", [{}, {"agents_tell_numbers": False}, {"empty_bodies": True}, {"list_form": "object"}]
)
def test_round_and_round(carry_out, options) -> None:
    fake, memory, found = vendor(**options), None, []
    for night in range(7):
        outcome, memory = rotated(carry_out, fake, night, memory)
        assert outcome.current.id == primary(fake)
        found.append(primary(fake))
    assert found == ["n2", "n3", "n1", "n2", "n3", "n1", "n2"]
    assert len(fake.writes) == 7


def test_what_it_returns(carry_out) -> None:
    outcome, _ = rotated(carry_out, vendor())
    result = outcome.result()
    assert (result["current"]["id"], result["previous"], result["changed"]) == ("n2", "n1", True)
    assert (result["pool_size"], result["skipped"]) == (3, {})
    assert result["last_uses"]["n2"]["run_id"] == "run-0"


def test_a_pool_by_id_and_phone_number(carry_out) -> None:
    fake = vendor()
    found = looked(carry_out, fake, ["n3", "other", "+15550000000"])
    assert list(found.pool.number_ids) == ["n3", "other", "+15550000000"]
    assert found.pool.skipped == {
        "other": "other: not attached to agent out",
        "+15550000000": "+15550000000: not attached to agent out",
    }
    # All numbers of this account have one phone number.
    assert sorted(looked(carry_out, fake, ["+1 555 123 4567"]).pool.number_ids) == ["n1", "n2", "n3"]


def test_a_number_that_is_not_active_or_in_quarantine_is_skipped(carry_out) -> None:
    fake = vendor()
    fake.account.set_status("n2", "suspended")
    found = looked(carry_out, fake, quarantine={"n3": "spam flag"})
    assert found.pool.skipped == {
        "n2": "+15551234567 (id n2): its status is suspended",
        "n3": "+15551234567 (id n3): in quarantine (spam flag)",
    }
    assert found.pool.healthy == ["n1"] == [found.in_use]


@pytest.mark.parametrize("rules", [RotationRules(on_unhealthy=what) for what in ("fail", "keep", "skip")])
def test_a_pool_that_the_account_does_not_have_is_mistyped(carry_out, rules) -> None:
    fake = vendor()
    for pool in (["+15559999999"], ["n9", "+1 555 999 9999"]):
        with pytest.raises(
            errors.NotNamedError, match=r"pool: there is no number .*Nothing was changed"
        ) as caught:
            rotated(carry_out, fake, pool=pool, rules=rules)
        assert not caught.value.retry_helps
    # One that is there may be attached again.
    if rules.on_unhealthy != "keep":
        with pytest.raises(errors.PoolUnhealthyError, match="other: not attached to agent out"):
            rotated(carry_out, fake, pool=["other", "n9"], rules=rules)
    assert (primary(fake), fake.writes) == ("n1", [])


UUIDS = [f"aaaaaaaa-0000-4000-8000-00000000000{i}" for i in range(3)]


def with_uuids() -> FakeCallingBox:
    fake = FakeCallingBox(agents={"out": "outbound"}, numbers={id_: ["out"] for id_ in UUIDS})
    fake.account.set_primary("out", UUIDS[0])
    return fake


@pytest.mark.parametrize("pool", [None, UUIDS, [id_.upper() for id_ in UUIDS]])
def test_a_uuid_in_another_case_is_held_back_weighted_and_remembered(carry_out, pool) -> None:
    fake = with_uuids()
    outcome, memory = rotated(carry_out, fake, pool=pool, quarantine={UUIDS[1].upper(): "spam flag"})
    assert (primary(fake), list(outcome.skipped)) == (UUIDS[2], [UUIDS[1]])
    value = memory.as_json()
    for use in value["uses"]:
        use["number_id"] = use["number_id"].upper()
    outcome, _ = rotated(carry_out, fake, 1, Memory.from_json(value), pool=pool)
    # Two of three are known to have been in use.
    assert primary(fake) == UUIDS[1]
    assert [use is not None for use in outcome.result()["last_uses"].values()] == [True] * 3
    fake, memory, found = with_uuids(), None, [UUIDS[0]]
    for night in range(7):
        rules = RotationRules("weighted", {UUIDS[0]: 2})
        _, memory = rotated(carry_out, fake, night, memory, pool=pool, rules=rules)
        found.append(str(primary(fake)))
    assert [found.count(id_) for id_ in UUIDS] == [4, 2, 2]


def test_priority_is_failover_and_put_back(carry_out) -> None:
    fake, rules, memory, found = vendor(), RotationRules("priority"), None, []
    for night, status in enumerate(["active", "suspended", "suspended", "active"]):
        fake.account.set_status("n1", status)
        _, memory = rotated(carry_out, fake, night, memory, rules=rules)
        found.append(primary(fake))
    assert found == ["n1", "n2", "n2", "n1"]
    assert len(fake.writes) == 2


@pytest.mark.parametrize(
    ("agent", "error"),
    [("in", errors.PromiseError), ("nobody", errors.NotFoundError), ("a/b", errors.InvalidArgumentError)],
)
def test_an_agent_that_does_not_call(carry_out, agent, error) -> None:
    fake = vendor()
    with pytest.raises(error):
        looked(carry_out, fake, agent=agent)
    assert fake.writes == []


def test_an_archived_agent_and_one_without_numbers(carry_out) -> None:
    fake = FakeCallingBox(agents={"out": "outbound"}, numbers={"n": []})
    with pytest.raises(errors.PoolUnhealthyError, match="No number is attached to agent out"):
        looked(carry_out, fake)
    fake.account.archive("out")
    with pytest.raises(errors.AgentArchivedError, match="Agent out is archived"):
        looked(carry_out, fake)


@pytest.mark.parametrize("pool", [[], "", [None], 7, ["a/b"]])
def test_a_pool_that_is_none_sends_nothing(carry_out, pool) -> None:
    fake = vendor()
    with pytest.raises(errors.InvalidArgumentError):
        looked(carry_out, fake, pool)
    assert fake.requests == []


def refused(carry_out, fake) -> str:
    with pytest.raises(errors.NotTakenEffectError) as caught:
        rotated(carry_out, fake)
    assert caught.value.retry_helps
    return str(caught.value)


@pytest.mark.parametrize("unreadable", [1, 2])
def test_the_number_before_is_put_back_when_the_proof_fails(carry_out, unreadable) -> None:
    fake = vendor()
    fake.on("GET", "agents/out", faults.served, *[faults.status(403)] * unreadable)
    message = refused(carry_out, fake)
    assert (primary(fake), len(fake.writes)) == ("n1", 2)
    assert "The number before, +15551234567 (id n1), was put back, and the agent has it" in message


def test_an_agent_that_had_no_number_before_gets_none_back(carry_out) -> None:
    fake = vendor()
    none = {**fake.agent("out"), "primary_number_id": None}
    fake.on("GET", "agents/out", *[faults.status(200, json=none)] * 2)
    assert "The agent has no primary number, as before." in refused(carry_out, fake)
    assert len(fake.writes) == 1


def test_a_number_before_is_put_back_where_the_agent_has_none(carry_out) -> None:
    fake = vendor()
    none = {**fake.agent("out"), "primary_number_id": None}
    fake.on("GET", "agents/out", faults.served, faults.status(200, json=none))
    message = refused(carry_out, fake)
    assert (primary(fake), len(fake.writes)) == ("n1", 2)
    assert "The number before, +15551234567 (id n1), was put back, and the agent has it" in message


def test_a_write_that_the_vendor_ignored_needs_nothing_put_back(carry_out) -> None:
    fake = vendor()
    fake.on("PUT", PRIMARY, faults.status(200, json=fake.agent("out")))
    assert "The agent still has the number before, +15551234567 (id n1)." in refused(carry_out, fake)
    assert (primary(fake), fake.writes) == ("n1", [])


@pytest.mark.parametrize("proof", [faults.served, faults.status(403)])
def test_what_somebody_else_made_primary_meanwhile_is_left(carry_out, proof) -> None:
    fake = vendor()
    theirs = faults.meanwhile(lambda: fake.account.set_primary("out", "n3"), proof)
    fake.on("GET", "agents/out", faults.served, theirs)
    assert "By now the agent has +15551234567 (id n3), which somebody else gave it" in refused(
        carry_out, fake
    )
    assert (primary(fake), len(fake.writes)) == ("n3", 1)
