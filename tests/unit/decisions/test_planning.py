"""The plan leads from the links as they are to the routes, by the fewest changes, and leaves nobody without."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_phonelink.api.errors import InvalidArgumentError, TooManyChangesError
from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.links import INBOUND, Link
from airflow_provider_phonelink.decisions.planning import make_plan
from airflow_provider_phonelink.decisions.scope import KnownScope
from airflow_provider_phonelink.promises.callingbox.routing import RULES as CALLINGBOX
from airflow_provider_phonelink.promises.dasha.routing import RULES as DASHA

EVERYTHING = {rules: KnownScope(rules.modes, None, None) for rules in (DASHA, CALLINGBOX)}


def linked(links, link, rules):
    """The vendor's rules: who is replaced by a new link."""
    if link.mode == INBOUND:
        links = {x for x in links if (x.mode, x.number_id) != (INBOUND, link.number_id)}
    elif rules.one_outbound_number:
        links = {x for x in links if (x.mode, x.agent_id) != (link.mode, link.agent_id)}
    return frozenset({*links, link})


def applied(links, change, rules):
    if change.action == "unlink":
        assert change.link in links
        return frozenset(links - {change.link})
    assert change.link not in links
    after = linked(links, change.link, rules)
    assert links - after == ({change.ends} if change.ends else set())
    return after


def states(plan, links, rules):
    """The links before each change and after the last."""
    yield links
    for change in plan.changes:
        links = applied(links, change, rules)
        yield links


def legal(links, rules):
    state: frozenset[Link] = frozenset()
    for link in links:
        state = linked(state, link, rules)
    return state


def links_of(rules, numbers="1234", agents="abc"):
    one = st.builds(Link, st.sampled_from(numbers), st.sampled_from(agents), st.sampled_from(rules.modes))
    return st.lists(one, max_size=10).map(lambda links: legal(links, rules))


@st.composite
def worlds(draw):
    rules = draw(st.sampled_from([DASHA, CALLINGBOX]))
    return rules, draw(links_of(rules)), draw(links_of(rules))


@st.composite
def scopes(draw, rules):
    def some(of):
        return draw(st.none() | st.sets(st.sampled_from(of)).map(frozenset))

    modes = tuple(draw(st.sets(st.sampled_from(rules.modes), min_size=1)))
    return KnownScope(modes, some("abc"), some("1234"))


@given(worlds())
def test_applying_a_plan_gives_the_routes(world):
    rules, links, wishes = world
    plan = make_plan(sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules], prune=True)
    *_, end = states(plan, links, rules)
    assert end == wishes
    assert plan.unchanged == len(links & wishes)
    assert plan.links_in_scope == len(links)


@given(worlds())
def test_without_pruning_only_what_has_to_give_way_does(world):
    rules, links, wishes = world
    plan = make_plan(sorted(wishes), sorted(links), rules)
    *_, end = states(plan, links, rules)
    expected = links
    for wish in wishes:
        expected = linked(expected, wish, rules)
    assert end == expected >= wishes


@given(st.data())
def test_pruning_stays_in_scope(data):
    rules, links, wishes = data.draw(worlds())
    scope = data.draw(scopes(rules))
    plan = make_plan(sorted(wishes), sorted(links), rules, scope=scope, prune=True)
    *_, end = states(plan, links, rules)
    expected = links
    for wish in wishes:
        expected = linked(expected, wish, rules)
    assert end == {link for link in expected if link in wishes or not scope.covers(link)}


@given(worlds())
def test_a_plan_for_a_state_that_matches_is_empty(world):
    rules, links, wishes = world
    for prune in (True, False):
        scope = EVERYTHING[rules] if prune else None
        plan = make_plan(sorted(wishes), sorted(links), rules, scope=scope, prune=prune)
        *_, end = states(plan, links, rules)
        again = make_plan(sorted(wishes), sorted(end), rules, scope=scope, prune=prune)
        assert again.in_sync
        assert again.unchanged == len(wishes)


@given(worlds())
def test_no_number_with_a_route_is_ever_unserved(world):
    rules, links, wishes = world
    plan = make_plan(sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules], prune=True)
    routed = {(wish.number_id, wish.mode) for wish in wishes}
    served = None
    for state in states(plan, links, rules):
        now = {(link.number_id, link.mode) for link in state} & routed
        # What somebody served stays served. An agent with one outbound number takes it from a number with it.
        assert served is None or {x for x in served if x[1] == INBOUND} <= now
        served = now


@given(worlds())
def test_removals_come_last(world):
    rules, links, wishes = world
    plan = make_plan(sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules], prune=True)
    actions = [change.action for change in plan.changes]
    first = actions.index("unlink") if "unlink" in actions else len(actions)
    assert set(actions[first:]) <= {"unlink"}


@given(worlds())
def test_an_agent_with_a_route_is_left_without_only_in_a_circle_of_exchanges(world):
    rules, links, wishes = world
    plan = make_plan(sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules], prune=True)
    due = {wish.agent_id for wish in wishes if wish.mode == INBOUND}
    has = {agent: {x.number_id for x in links if x[1:] == (agent, INBOUND)} for agent in due}
    gaining = {change.link.agent_id for step in plan.steps for change in step if change.link.mode == INBOUND}
    for position, step in enumerate(plan.steps):
        for change in step:  # side by side: nothing that the step gives is there yet
            if change.previous_agent_id in due:
                has[change.previous_agent_id].discard(change.link.number_id)
        left_without = {agent for agent in due if not has[agent]} & {c.previous_agent_id for c in step}
        assert not left_without or (
            {c.action for c in step} == {"move"}
            and left_without <= gaining
            and all(c.action == "unlink" for rest in plan.steps[position + 1 :] for c in rest)
        )
        for change in step:
            if change.action != "unlink" and change.link.mode == INBOUND and change.link.agent_id in due:
                has[change.link.agent_id].add(change.link.number_id)


def test_a_chain_of_moves_begins_where_a_number_is_free():
    links = [Link("1", "a", INBOUND), Link("2", "b", INBOUND), Link("3", "c", INBOUND)]
    wishes = [
        Link("1", "b", INBOUND),
        Link("2", "c", INBOUND),
        Link("3", "d", INBOUND),
        Link("4", "a", INBOUND),
    ]
    plan = make_plan(wishes, links, DASHA)
    assert [[change.link.number_id for change in step] for step in plan.steps] == [["4"], ["1"], ["2"], ["3"]]


def fewest(links, reached, rules, universe):
    """Breadth first: how many writes lead to a state that is wished for."""
    seen, edge, count = {links}, [links], 0
    while not any(map(reached, edge)):
        following = set()
        for state in edge:
            following |= {linked(state, link, rules) for link in universe}
            following |= {state - {link} for link in state}
        edge, count = [state for state in following if state not in seen], count + 1
        seen |= set(edge)
    return count


def small(rules):
    universe = [Link(*link) for link in product("12", "ab", rules.modes)]
    legals = {
        state
        for size in range(4)
        for links in combinations(universe, size)
        if len(state := legal(links, rules)) == size
    }
    return universe, sorted(legals, key=sorted)


@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("rules", [DASHA, CALLINGBOX], ids=["dasha", "callingbox"])
def test_there_is_no_shorter_plan(rules, prune):
    universe, legals = small(rules)
    for links, wishes in list(product(legals, legals))[:: 7 if rules is CALLINGBOX else 3]:
        reached = wishes.__eq__ if prune else wishes.issubset
        plan = make_plan(
            sorted(wishes), sorted(links), rules, scope=EVERYTHING[rules] if prune else None, prune=prune
        )
        assert len(plan.changes) == fewest(links, reached, rules, universe), (links, wishes)


class TestForPeople:
    links = (Link("1", "a", INBOUND), Link("2", "a", "replaceOutbound"), Link("3", "c", INBOUND))
    wishes = (
        Link("1", "b", INBOUND),
        Link("1", "a", "replaceOutbound"),
        Link("2", "b", INBOUND),
        Link("4", "b", INBOUND),
    )
    plan = make_plan(
        wishes,
        [*links, Link("4", "b", INBOUND)],
        DASHA,
        scope=EVERYTHING[DASHA],
        prune=True,
        phone_numbers={"1": "+15550100001", "2": "evil\n+ link"},
    )

    def test_the_diff(self):
        assert self.plan.diff() == [
            "+ link   evil + link (id 2) inbound to agent b",
            "~ move   +15550100001 (id 1) inbound from agent a to agent b",
            "~ move   +15550100001 (id 1) replaceOutbound to agent a, instead of evil + link (id 2)",
            "- unlink 3 inbound from agent c",
        ]
        assert self.plan.summary == "1 to link, 2 to move, 1 to unlink, 1 unchanged"

    def test_as_json(self):
        assert [self.plan.as_json(change) for change in self.plan.changes][1:3] == [
            {
                "action": "move",
                "number_id": "1",
                "phone_number": "+15550100001",
                "agent_id": "b",
                "mode": "inbound",
                "previous_agent_id": "a",
                "previous_number_id": None,
                "extra": {},
            },
            {
                "action": "move",
                "number_id": "1",
                "phone_number": "+15550100001",
                "agent_id": "a",
                "mode": "replaceOutbound",
                "previous_agent_id": None,
                "previous_number_id": "2",
                "extra": {},
            },
        ]

    def test_links_in_scope_are_those_of_routed_numbers_of_replaced_ones_and_of_the_scope(self):
        def count(scope):
            return make_plan(self.wishes, self.links, DASHA, scope=scope).links_in_scope

        assert count(None) == 2
        assert count(KnownScope(DASHA.modes, frozenset("c"), None)) == 3
        assert count(EVERYTHING[DASHA]) == 3


class TestMaxChanges:
    @pytest.mark.parametrize(
        ("value", "changes", "links", "exceeded"),
        [
            (0, 0, 0, False),
            (0, 1, 100, True),
            ("3", 3, 0, False),
            (3, 4, 100, True),
            ("10%", 10, 100, False),
            ("10 %", 11, 100, True),
            ("10%", 1, 5, True),
            ("12.5%", 1, 8, False),
            ("10%", 1, 0, True),
            ("100%", 7, 7, False),
        ],
    )
    def test_limits(self, value, changes, links, exceeded):
        assert parse_max_changes(value).is_exceeded(changes, links) is exceeded

    @pytest.mark.parametrize(
        "value", ["", "None", "ten", "-1", -1, "1.5", 1.5, True, "101%", "%", "1e3", [], "10%%"]
    )
    def test_no_limits(self, value):
        with pytest.raises(InvalidArgumentError, match="max_changes"):
            parse_max_changes(value)

    def test_a_plan_that_is_too_large_is_refused(self):
        plan = TestForPeople.plan
        plan.refuse_more_than(None)
        plan.refuse_more_than(parse_max_changes(4))
        with pytest.raises(TooManyChangesError, match=r"4 changes .*max_changes=50% of 4 links"):
            plan.refuse_more_than(parse_max_changes("50%"))


@settings(max_examples=30)
@given(worlds(), st.randoms())
def test_the_order_of_routes_and_links_does_not_matter(world, random):
    rules, links, wishes = world
    shuffled = [random.sample(sorted(x), len(x)) for x in (wishes, links)]
    plans = [
        make_plan(*arguments, rules, scope=EVERYTHING[rules], prune=True)  # type: ignore[misc]
        for arguments in ([sorted(wishes), sorted(links)], shuffled)
    ]
    assert set(plans[0].changes) == set(plans[1].changes)
