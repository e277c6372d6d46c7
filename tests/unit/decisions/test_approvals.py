"""A plan that is bound to an approval makes the changes that were approved, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.decisions.test_planning import EVERYTHING, links_of, states, worlds

from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotApprovedError
from airflow_provider_phonelink.decisions.approvals import parse_approved_plan
from airflow_provider_phonelink.decisions.links import INBOUND, Link
from airflow_provider_phonelink.decisions.planning import make_plan
from airflow_provider_phonelink.promises.callingbox.routing import RULES as CALLINGBOX
from airflow_provider_phonelink.promises.dasha.routing import RULES as DASHA
from airflow_provider_phonelink.promises.reports import Report

OUT = DASHA.outbound


def planned(wishes, links, rules=DASHA):
    return make_plan(sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules], prune=True)


def approved(plan):
    """Approve a plan, as it comes back from the database or a file."""
    return parse_approved_plan(json.loads(json.dumps(Report(plan).result())))


def effects(plan):
    """The links that a plan makes, and those that end by it."""
    made = {change.link for change in plan.changes if change.action != "unlink"}
    return made, {change.loser for change in plan.changes if change.loser}


@given(worlds(), st.data())
def test_what_remains_after_a_part_was_applied_is_approved(world, data):
    rules, links, wishes = world
    plan = planned(wishes, links, rules)
    so_far = data.draw(st.sampled_from(list(states(plan, links, rules))))
    rest = approved(plan).bind(planned(wishes, so_far, rules))
    assert rest.bound
    assert len(rest.changes) <= len(plan.changes)


@given(worlds(), st.data())
def test_whatever_happens_meanwhile_nothing_else_is_made_or_ends(world, data):
    rules, links, wishes = world
    plan = planned(wishes, links, rules)
    wished, found = data.draw(links_of(rules)), data.draw(links_of(rules))
    later = planned(wished, found, rules)
    made, ended = effects(plan)
    try:
        bound = approved(plan).bind(later)
    except NotApprovedError:
        removed = {change.link for change in plan.changes if change.action == "unlink"}
        assert {*later.changes} - {*plan.changes} or made - {*wished, *found} or removed & {*found}
    else:
        assert effects(bound)[0] <= made
        assert effects(bound)[1] <= ended
        removed, may_be = ({c for c in p.changes if c.action == "unlink"} for p in (bound, plan))
        assert removed <= may_be


A, B, C = "agent-a", "agent-b", "agent-c"
MOVED = [Link("1", A, INBOUND)], [Link("1", B, INBOUND)]
#: The links and routes when the plan was approved, the links and routes now, and what the message says.
NEW = {
    "somebody took the number": (
        MOVED,
        ([Link("1", C, INBOUND)], MOVED[1]),
        [
            "~ move   1 inbound from agent agent-c to agent agent-b: agent agent-c has it now; approved was '~ move   1"
        ],
    ),
    "the file changed": (
        MOVED,
        ([Link("1", A, INBOUND), Link("2", B, INBOUND)], [Link("1", A, INBOUND)]),
        ["- unlink 2 inbound from agent agent-b: agent agent-b has it now; no change of it was needed then"],
    ),
    "a number that was to move is to be unlinked": (
        MOVED,
        (MOVED[0], []),
        ["- unlink 1 inbound from agent agent-a: agent agent-a has it now; approved was '~ move   1"],
    ),
    "it is to go to another agent": (
        MOVED,
        (MOVED[0], [Link("1", C, INBOUND)]),
        ["~ move   1 inbound from agent agent-a to agent agent-c: "],
    ),
    "somebody unlinked another one": (
        MOVED,
        ([*MOVED[0]], [*MOVED[1], Link("2", C, INBOUND)]),
        ["+ link   2 inbound to agent agent-c: nobody has it now; no change of it was needed then"],
    ),
    "an agent calls out with another number by now": (
        ([Link("1", A, OUT)], [Link("2", A, OUT)]),
        ([Link("3", A, OUT)], [Link("2", A, OUT)]),
        [
            "~ move   2 replaceOutbound to agent agent-a, instead of 3: approved was '~ move   2 replaceOutbound to "
        ],
    ),
    "somebody has the number that nobody had": (
        ([], MOVED[1]),
        MOVED,
        [
            "~ move   1 inbound from agent agent-a to agent agent-b: agent agent-a has it now; approved was '+ link   1"
        ],
    ),
}


@pytest.mark.parametrize(("then", "now", "words"), NEW.values(), ids=NEW)
def test_what_is_new_is_told_change_by_change(then, now, words):
    with pytest.raises(NotApprovedError) as caught:
        approved(planned(then[1], then[0])).bind(planned(now[1], now[0]))
    assert not caught.value.retry_helps
    for word in (*words, "nothing was written", "have it approved"):
        assert word in str(caught.value)
    assert len(caught.value.others) == len(words)


def test_a_number_whose_agent_lost_it_meanwhile_still_goes_where_it_was_to_go():
    """As when a try took it from there and died before it handed it on."""
    rest = approved(planned(MOVED[1], MOVED[0])).bind(planned(MOVED[1], []))
    assert [change.action for change in rest.changes] == ["link"]


def test_what_became_true_meanwhile_is_no_change():
    assert approved(planned(MOVED[1], MOVED[0])).bind(planned(MOVED[1], MOVED[1])).in_sync


def test_an_agent_may_have_several_outbound_numbers_at_callingbox():
    then, now = [Link("1", A, "outbound")], [Link("2", A, "outbound")]
    with pytest.raises(NotApprovedError, match=r"\+ link   2 .*no change of it was needed then"):
        approved(planned(then, [], CALLINGBOX)).bind(planned(now, [], CALLINGBOX))


DROPPED = {
    "its route is gone": (
        MOVED,
        (MOVED[0], MOVED[0]),
        "~ move   1 inbound from agent agent-a to agent agent-b",
    ),
    "a route keeps what was to be removed": (
        ([Link("2", B, INBOUND)], []),
        ([Link("2", B, INBOUND)], [Link("2", B, INBOUND)]),
        "- unlink 2 inbound from agent agent-b",
    ),
}


@pytest.mark.parametrize(("then", "now", "line"), DROPPED.values(), ids=DROPPED)
def test_an_approved_change_that_nobody_asks_for_any_more_is_refused(then, now, line):
    (links_then, wishes_then), (links_now, wishes_now) = then, now
    with pytest.raises(
        NotApprovedError, match="1 of the 1 approved changes are neither made nor asked for"
    ) as caught:
        approved(planned(wishes_then, links_then)).bind(planned(wishes_now, links_now))
    assert f"[{line}]" in str(caught.value)


@pytest.mark.parametrize("links", [[], [Link("1", A, INBOUND)]])
def test_an_approved_removal_needs_a_run_that_prunes(links):
    """Without it, links that only pruning looks at are not read: whether they are still there is not known."""
    then = approved(planned([], [Link("1", A, INBOUND)]))
    with pytest.raises(NotApprovedError, match=r"\[- unlink 1 inbound .* prune: apply it with the same ones"):
        then.bind(make_plan([], links, DASHA))
    assert then.bind(planned([], [])).in_sync


def test_a_key_that_is_there_twice_is_refused():
    text = json.dumps(Report(planned(MOVED[1], MOVED[0])).result())
    for doubled in (
        text.replace('"agent_id"', '"agent_id": "agent-x", "agent_id"'),
        '{"changes": [], ' + text[1:],
    ):
        with pytest.raises(InvalidArgumentError, match=r"has the key '(agent_id|changes)' twice"):
            parse_approved_plan(doubled)


def test_a_text_that_was_cut_off_is_told_with_its_place():
    text = json.dumps(Report(planned(MOVED[1], MOVED[0])).result(), indent=1)
    with pytest.raises(InvalidArgumentError, match=r"cannot be read: line 4, column \d+: "):
        parse_approved_plan("\n".join(text.splitlines()[:4]))


def test_an_approved_plan_without_changes_allows_none():
    nothing = approved(planned([], []))
    assert nothing.bind(planned(MOVED[1], MOVED[1])).in_sync
    with pytest.raises(NotApprovedError):
        nothing.bind(planned(MOVED[1], []))


@pytest.mark.parametrize("as_text", [json.dumps, str, lambda plan: f"\ufeff{json.dumps(plan)}"])
def test_it_may_be_text(as_text):
    plan = planned(MOVED[1], MOVED[0])
    assert parse_approved_plan(as_text(Report(plan).result())) == approved(plan)


def test_uuids_that_somebody_wrote_in_upper_case_are_the_same():
    number, agent, other = (f"aaaaaaaa-0000-4000-8000-00000000000{i}" for i in range(3))
    plan = planned([Link(number, agent, INBOUND)], [Link(number, other, INBOUND)])
    change = {
        name: value.upper() if value and value.startswith("aaaa") else value
        for name, value in Report(plan).result()["changes"][0].items()
    }
    assert change["agent_id"] != agent
    assert (
        parse_approved_plan({**Report(plan).result(), "changes": [change]}).bind(plan).changes == plan.changes
    )


CHANGE = Report(planned(MOVED[1], MOVED[0])).result()["changes"][0]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "None",
        "null",
        [],
        {},
        7,
        "[",
        {"changes": None},
        {"changes": "x"},
        {"changes": 3},
        {"changes": ["move"]},
        {"changes": [{}]},
        {"changes": [None]},
        {"changes": [{**CHANGE, "action": "delete"}]},
        {"changes": [{**CHANGE, "action": ["move"]}]},
        {"changes": [{**CHANGE, "number_id": None}]},
        {"changes": [{**CHANGE, "agent_id": 7}]},
        {"changes": [CHANGE, {**CHANGE, "previous_agent_id": 7}]},
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^approved_plan: .*Nothing was sent"):
        parse_approved_plan(value)
