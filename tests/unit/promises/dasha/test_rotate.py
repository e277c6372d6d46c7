from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from unit.api import faults
from unit.api.fake_dasha import CREDENTIALS, PROVIDER, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS
from airflow_provider_phonelink.decisions.registration import RegistrationRules
from airflow_provider_phonelink.decisions.rotation import Asked, RotationRules
from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run, State
from airflow_provider_phonelink.promises.dasha.rotate import DashaCallerId
from airflow_provider_phonelink.promises.rotation import rotate

RULES = RegistrationRules(("Registered",), ("Failed",))
ONE, TWO, THREE, FOUR = (number_id(i) for i in range(1, 5))
REGISTERED = {"state": "Registered"}
LINK = "/agent-link"


def number(index: int, state: str = "Registered", **fields):
    return number_json(index, registration=True, registrationStatus={"state": state}, **fields)


def vendor(*states: str, outbound: dict[str, str] | None = None, **options) -> FakeDasha:
    numbers = [number(i, state) for i, state in enumerate(states or ["Registered"] * 3, start=1)]
    return FakeDasha(*numbers, outbound={"agent": ONE} if outbound is None else outbound, **options)


NIGHT = datetime(2026, 3, 1, 3, tzinfo=timezone.utc)
RUN = Run("dag", "rotate", "run-1", NIGHT)


def looked(carry_out, fake, pool=(ONE, TWO, THREE), expected=None, **options):
    return carry_out(DashaCallerId("agent", pool, RULES, **options).look(expected), vendor=fake)


#: What the last rotation kept of it on the way, after what it found.
KEPT: list[Memory] = []


def rotated(
    carry_out, fake, pool=(ONE, TWO, THREE), *, verify=True, run=RUN, memory=None, rules=None, **options
):
    KEPT[:] = [memory or Memory()]
    caller_id = DashaCallerId("agent", pool, RULES, **options)
    flow = rotate(
        caller_id,
        Asked("agent", run.at, run),
        rules or RotationRules(),
        verify=verify,
        memory=KEPT[-1],
        keep=KEPT.append,
    )
    return carry_out(flow, vendor=fake)


def test_a_pool_as_it_is(carry_out) -> None:
    fake = vendor("Registered", "Failed", "Registering")
    found = looked(carry_out, fake, [ONE, TWO.upper(), THREE, number_id(9), ONE], quarantine=[ONE.upper()])
    assert found.in_use == ONE
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


def test_a_filter_that_matches_nothing_is_a_typo_and_no_reason_to_retry(carry_out) -> None:
    with pytest.raises(errors.NotNamedError, match=r"Nothing was changed") as caught:
        looked(carry_out, vendor(), {"display_name_prefix": "x"})
    assert not caught.value.retry_helps


def test_the_number_before_may_be_in_the_scope_only(carry_out) -> None:
    fake = vendor(*["Registered"] * 4, outbound={"agent": FOUR, "other": ONE})
    assert looked(carry_out, fake).in_use is None
    assert looked(carry_out, fake, scope=[FOUR, number_id(9)]).in_use == FOUR


def test_requests_are_few(carry_out) -> None:
    fake = vendor(outbound={"agent": THREE})
    looked(carry_out, fake)
    assert sorted(fake.requests) == sorted(
        [
            f"GET {NUMBERS}",
            f"GET /api/v1/sip-credentials/{CREDENTIALS}/affected-agents",
            *(f"GET {NUMBERS}/{i}/affected-agents" for i in (ONE, TWO, THREE)),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("in_use", "requests"), [(TWO, 3), (THREE, 5), (None, 5)])
def test_the_number_that_is_remembered_is_looked_at_first(carry_out, in_use, requests) -> None:
    fake = vendor(outbound={"agent": in_use} if in_use else {})
    assert looked(carry_out, fake, expected=TWO).in_use == in_use
    assert len(fake.requests) == requests


@pytest.mark.parametrize(
    ("quarantine", "held"),
    [
        (
            {ONE.upper(): "spam flag", "+1 (555) 000-0002": "answer rate 4 %"},
            {ONE: " (spam flag)", TWO: " (answer rate 4 %)"},
        ),
        (["tel:+15550000001", "+15559999999", number_id(8)], {ONE: ""}),
        (f"{{'{ONE}': None, '{TWO}': ''}}", {ONE: "", TWO: ""}),
        ("+15550000001, +15550000002", {ONE: "", TWO: ""}),
        ({}, {}),
    ],
)  # fmt: skip
def test_quarantine_by_id_or_phone_number_with_reasons(carry_out, quarantine, held) -> None:
    skipped = looked(carry_out, vendor(), quarantine=quarantine).pool.skipped
    assert skipped == {
        id_: f"+1555000000{id_[-1]} (id {id_}): in quarantine{why}" for id_, why in held.items()
    }


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("x" * 256, f" ({'x' * 256})"), ("x" * 501, f" ({'x' * 500}…)"), (4.0, " (4.0)"), (True, " (True)"),
        ("None", " (None)"), (None, ""), ("a\nb\ud800", " (a b)"), (["spam"], " (['spam'])"),
        pytest.param(10**5000, " (a value of type int)", id="long"),
    ],
)  # fmt: skip
def test_nothing_fails_for_a_reason(carry_out, reason, told) -> None:
    skipped = looked(carry_out, vendor(), quarantine={ONE: reason}).pool.skipped
    assert skipped[ONE] == f"+15550000001 (id {ONE}): in quarantine{told}"


@pytest.mark.parametrize("quarantine", [None, "None", [None], 7, ["what?"], {"": "x"}])
def test_a_quarantine_that_is_none_sends_nothing(carry_out, quarantine) -> None:
    fake = vendor()
    with pytest.raises(errors.InvalidArgumentError, match="quarantine"):
        looked(carry_out, fake, quarantine=quarantine)
    assert fake.requests == []


def test_pool_and_scope_by_phone_number(carry_out) -> None:
    fake = vendor(*["Registered"] * 4, outbound={"agent": FOUR})
    found = looked(carry_out, fake, ["+1 (555) 000-0003", ONE, "tel:+15550000003"], scope=["+15550000004"])
    assert (list(found.pool.number_ids), found.in_use) == ([THREE, ONE], FOUR)
    assert sum(request == f"GET {NUMBERS}" for request in fake.requests) == 1


GONE = "+15559999999"


@pytest.mark.parametrize(("gone", "requests"), [(GONE, 4), (number_id(9), 5)])
def test_a_number_that_is_gone_is_skipped_at_once(carry_out, gone, requests) -> None:
    fake = vendor()
    found = looked(carry_out, fake, [gone, ONE, "+15550000002"], scope=["+15558888888"])
    assert (found.pool.healthy, found.in_use) == ([ONE, TWO], ONE)
    assert list(found.pool.skipped) == [gone]
    assert "there is no such number" in found.pool.skipped[gone]
    assert len(fake.requests) == requests


@pytest.mark.parametrize("gone", [GONE, number_id(9)])
@pytest.mark.parametrize("known", [True, False])
def test_one_that_is_needed_is_waited_for_unless_it_has_been_there_before(carry_out, gone, known) -> None:
    fake = vendor("Registered", "Failed")
    names = ["tel:+1-555-999-9999", number_id(9)] if known else []
    caller_id = DashaCallerId("agent", [ONE, TWO, gone], RULES)
    found = carry_out(caller_id.look(ONE, names, 1), vendor=fake)
    assert (found.pool.healthy, gone in found.pool.skipped) == ([ONE], True)
    assert (len(fake.requests) < 6) is known


def test_a_new_one_that_shows_late_is_taken(carry_out) -> None:
    fake = vendor("Registered", "Failed", "Registered")
    nothing = {"items": [], "totalCount": 0, "skip": 0, "take": 1000}
    fake.on("GET", NUMBERS, *[faults.status(200, json=nothing)] * 2)
    assert rotated(carry_out, fake, ["+15550000001", "+15550000003"]).current.id == THREE
    assert sum(request == f"GET {NUMBERS}" for request in fake.requests) == 3


def test_a_number_that_this_key_may_not_read_is_skipped(carry_out) -> None:
    fake = vendor("Registered", "Registered", "Registered")
    fake.on("GET", f"{NUMBERS}/{number_id(9)}", *[faults.status(403)] * 9)
    found = rotated(carry_out, fake, [ONE, number_id(9), TWO])
    assert found.current.id == TWO
    assert "403" in found.skipped[number_id(9)]
    with pytest.raises(errors.AccessDeniedError):
        looked(carry_out, fake, [number_id(9)])


def test_a_number_whose_users_this_key_may_not_read_is_skipped(carry_out) -> None:
    fake = vendor("Registered", "Registered", "Registered")
    fake.on("GET", "sip-credentials", *[faults.status(403)] * 9)
    fake.on("GET", f"{TWO}/affected-agents", *[faults.status(403)] * 9)
    found = rotated(carry_out, fake, [TWO, ONE, THREE])
    assert (found.previous, found.current.id) == (ONE, THREE)
    assert found.skipped[TWO].startswith(f"+15550000002 (id {TWO}): GET ")
    assert "403" in found.skipped[TWO]


def test_a_key_that_may_read_the_users_of_no_number_is_refused(carry_out) -> None:
    fake = vendor("Registered", "Registered", "Registered")
    fake.on("GET", "sip-credentials", *[faults.status(403)] * 9)
    fake.on("GET", "affected-agents", *[faults.status(403)] * 9)
    with pytest.raises(errors.AccessDeniedError):
        rotated(carry_out, fake)
    assert fake.writes == []


def test_a_pool_of_phone_numbers_that_are_all_not_there_is_a_typo(carry_out) -> None:
    with pytest.raises(
        errors.NotNamedError, match=r"pool: there is no number \+15559999999.*Nothing was"
    ) as caught:
        looked(carry_out, vendor(), [GONE, number_id(9)])
    assert not caught.value.retry_helps


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
    assert (found.in_use, found.suspected) == (previous, suspected)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("options", [{}, {"empty_bodies": True}, {"outbound_literal": "callerId"}])
def test_rotating_is_one_write(carry_out, options, verify) -> None:
    fake = vendor(**options)
    outcome = rotated(carry_out, fake, verify=verify)
    assert (fake.outbound, len(fake.writes)) == ({"agent": TWO}, 1)
    result = outcome.result()
    assert result.keys() == {
        "agent_id", "current", "previous", "changed", "reason", "skipped", "pool_size", "last_uses",
    }  # fmt: skip
    assert (result["agent_id"], result["current"]["id"], result["changed"]) == ("agent", TWO, True)
    unknown = "outbound_literal" in options
    assert result["previous"] == (None if unknown else ONE)
    before = "one that is not known" if unknown else f"+15550000001 (id {ONE})"
    assert f"Before this run, it was {before}. 0 of 3 numbers of the pool were skipped" in outcome.summary
    assert result["last_uses"][TWO] == {"since": NIGHT.isoformat(), "until": None, "run_id": "run-1"}
    assert result["last_uses"][THREE] is None


def test_the_choice_is_kept_before_it_is_written(carry_out) -> None:
    fake = vendor()
    fake.on("PUT", LINK, faults.status(403))
    with pytest.raises(errors.AccessDeniedError):
        rotated(carry_out, fake)
    _, kept = KEPT
    assert [(use.number_id, use.state) for use in kept.uses] == [(ONE, State.SEEN), (TWO, State.CHOSEN)]
    assert (kept.uses[-1].phone_number, kept.uses[-1].previous) == ("+15550000002", ONE)
    assert rotated(carry_out, fake, memory=kept).current.id == TWO
    later = Run("dag", "rotate", "run-2", NIGHT + timedelta(days=1))
    # The first run never came to link its choice.
    assert rotated(carry_out, vendor(), memory=kept, run=later).previous == ONE


@pytest.mark.parametrize("tries", [1, 2])
def test_a_try_after_a_death_that_finds_its_link_made_writes_nothing(carry_out, tries) -> None:
    fake = vendor()
    fake.on("PUT", LINK, faults.lost_after, faults.lost_after, faults.lost_after)
    memory = None
    for _ in range(tries):
        fake.outbound.update(agent=ONE)
        rotated(carry_out, fake, memory=memory)
        memory = KEPT[-1]
    writes = len(fake.writes)
    outcome = rotated(carry_out, fake, memory=memory)
    assert (outcome.changed, outcome.previous, len(fake.writes)) == (True, ONE, writes)
    assert "an earlier try of this run made it so" in outcome.summary
    again = rotated(carry_out, fake, memory=outcome.memory.done_by(RUN))
    assert (again.changed, again.previous, again.use.previous) == (False, ONE, ONE)


def test_what_is_so_already_is_not_written(carry_out) -> None:
    fake = vendor("Registered", "Failed", "Failed")
    outcome = rotated(carry_out, fake)
    assert (outcome.changed, outcome.previous, outcome.use, fake.writes) == (False, ONE, None, [])
    assert "no other number of the pool is healthy" in outcome.summary


def test_a_number_that_is_used_by_an_unknown_literal_is_linked_again(carry_out) -> None:
    fake = vendor("Registered", "Failed", "Failed", outbound_literal="callerId")
    assert rotated(carry_out, fake).changed
    assert len(fake.writes) == 1


def test_an_older_run_writes_nothing_and_says_which_one_has_rotated(carry_out) -> None:
    fake = vendor()
    memory = rotated(carry_out, fake).memory
    older = Run("dag", "rotate", "run-0", NIGHT - timedelta(days=21))
    outcome = rotated(carry_out, fake, memory=memory, run=older)
    assert (outcome.current.id, outcome.changed, len(fake.writes)) == (TWO, False, 1)
    assert outcome.summary == (
        "Nothing was written: this run is older than run-1 of the DAG dag, which has rotated since. The number of "
        f"agent agent is +15550000002 (id {TWO})."
    )
    fake = vendor(outbound={})
    nobody = rotated(carry_out, fake, memory=memory, run=older)
    assert (nobody.result()["current"], nobody.result()["changed"]) == (None, False)


def test_what_a_try_did_is_told_by_the_next_one_also_if_a_later_run_has_rotated_since(carry_out) -> None:
    fake, later = vendor(), Run("dag", "rotate", "run-2", NIGHT + timedelta(days=1))
    memory = rotated(carry_out, fake).memory  # of a try that died before it could tell
    memory = rotated(carry_out, fake, memory=memory, run=later).memory.done_by(later)
    retried = rotated(carry_out, fake, memory=memory)
    assert (retried.current.id, retried.changed, retried.previous) == (THREE, True, ONE)
    assert (retried.use.number_id, retried.use.previous, len(fake.writes)) == (THREE, ONE, 2)
    assert "Before this run, it was +15550000001" in retried.summary
    again = rotated(carry_out, fake, memory=retried.memory.done_by(RUN))
    assert (again.changed, again.use) == (False, None)


def test_a_run_that_is_to_skip_tells_what_its_earlier_try_did(carry_out) -> None:
    fake = vendor()
    memory = rotated(carry_out, fake).memory
    rules, held = RotationRules(min_healthy=3, on_unhealthy="skip"), [TWO]
    outcome = rotated(carry_out, fake, memory=memory, rules=rules, quarantine=held)
    assert (outcome.changed, outcome.use.number_id, outcome.use.previous) == (True, TWO, ONE)
    with pytest.raises(errors.PoolUnhealthyError):
        rotated(carry_out, fake, memory=outcome.memory.done_by(RUN), rules=rules, quarantine=held)
    assert (fake.outbound, len(fake.writes)) == ({"agent": TWO}, 1)


def test_weights_by_phone_number(carry_out) -> None:
    fake, memory, found = vendor(outbound={}), Memory(), []
    for night in range(8):
        run = Run("dag", "rotate", f"run-{night}", NIGHT + timedelta(days=night))
        rules = RotationRules("weighted", {"+1 555 000 0001": 2})
        outcome = rotated(carry_out, fake, memory=memory, run=run, rules=rules)
        memory = outcome.memory.done_by(run)
        found.append(outcome.current.id)
    assert [found.count(id_) for id_ in (ONE, TWO, THREE)] == [4, 2, 2]


@pytest.mark.parametrize(
    "open_",
    [faults.lost_before, faults.lost_after, faults.html_after, faults.status(502), faults.status(429)],
)
def test_an_open_outcome_is_tried_again(carry_out, open_) -> None:
    fake = vendor()
    fake.on("PUT", LINK, open_)
    rotated(carry_out, fake)
    assert fake.outbound == {"agent": TWO}


def refused(carry_out, fake, **options):
    with pytest.raises(errors.NotTakenEffectError) as caught:
        rotated(carry_out, fake, **options)
    assert caught.value.retry_helps
    return str(caught.value)


def test_the_number_before_is_put_back_when_the_proof_fails(carry_out) -> None:
    fake = vendor()
    fake.on("GET", f"{TWO}/affected-agents", faults.served, faults.status(403))
    message = refused(carry_out, fake)
    assert (fake.outbound, len(fake.writes)) == ({"agent": ONE}, 2)
    assert "403" in message
    assert f"The number before, +15550000001 (id {ONE}), was put back, and the agent has it" in message


def test_a_write_that_the_vendor_ignored_needs_nothing_put_back(carry_out) -> None:
    fake = vendor()
    fake.on("PUT", LINK, faults.status(200, json=number(2)))
    message = refused(carry_out, fake)
    assert (fake.outbound, fake.writes) == ({"agent": ONE}, [])
    assert f"The agent still has the number before, +15550000001 (id {ONE})." in message


def test_putting_back_fails_too(carry_out) -> None:
    fake = vendor()
    fake.on("GET", f"{TWO}/affected-agents", faults.served, faults.status(403))
    fake.on("PUT", LINK, faults.served, faults.status(409))
    message = refused(carry_out, fake)
    assert "back failed, too" in message
    assert "not known which number the agent has now" in message


def test_putting_back_cannot_be_confirmed_either(carry_out) -> None:
    fake = vendor()
    fake.on(
        "PUT", LINK, faults.meanwhile(lambda: fake.on("GET", "affected-agents", *[faults.status(403)] * 9))
    )
    message = refused(carry_out, fake)
    assert fake.outbound == {"agent": ONE}
    assert "again, but that could not be confirmed" in message


def test_what_somebody_else_gave_the_agent_meanwhile_is_left(carry_out) -> None:
    fake = vendor()
    fake.on(
        "GET",
        f"{TWO}/affected-agents",
        faults.served,
        faults.meanwhile(lambda: fake.outbound.update(agent=THREE)),
    )
    message = refused(carry_out, fake)
    assert f"By now the agent has +15550000003 (id {THREE}) of the pool" in message
    assert fake.outbound == {"agent": THREE}
    assert len(fake.writes) == 1


def test_nothing_is_put_back_when_the_number_before_is_not_known(carry_out) -> None:
    fake = vendor(outbound={"agent": FOUR})
    fake.on("GET", f"{ONE}/affected-agents", faults.served, faults.status(403))
    message = refused(carry_out, fake)
    assert (fake.outbound, len(fake.writes)) == ({"agent": ONE}, 1)
    assert "nothing was put back" in message
