"""Reconcile at CallingBox: afterwards the links equal the routes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from integration.reconciling import phone, route
from integration.worlds import AGENT, OTHER_AGENT, THIRD_AGENT, writes

from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.sandbox import Fault, Switches


class TestCallingBox:
    @pytest.fixture
    def world(self, sandbox):
        world = sandbox.world.callingbox
        for agent in (AGENT, OTHER_AGENT):
            world.add_agent("inbound", id=agent)
        world.add_agent("outbound", id="caller")
        world.add_number(phone(1), id="pn_1", agents=[AGENT])
        world.add_number(phone(2), id="pn_2", agents=["caller"])
        world.add_number(phone(3), id="pn_3")
        sandbox.journal.clear()
        return world

    @pytest.fixture
    def reconcile(self, reconcile):
        return lambda routes, **arguments: reconcile(
            routes, operator=CallingBoxReconcileLinksOperator, **arguments
        )

    WISHED = (route(1, OTHER_AGENT), route("pn_3", AGENT, "inbound"), route("+1 555 010 0003", "caller"))

    def test_the_links_equal_the_routes(self, sandbox, world, reconcile):
        first = reconcile(list(self.WISHED), prune=True, scope={"agents": [AGENT, "caller"]})
        assert first.state == "success", first.log
        assert world.links() == {"pn_1": (OTHER_AGENT, []), "pn_2": (None, []), "pn_3": (AGENT, ["caller"])}
        assert [c["action"] for c in first.value["changes"]] == ["link", "link", "move", "unlink"]
        sandbox.journal.clear()
        second = reconcile(list(self.WISHED), prune=True, scope={"agents": [AGENT, "caller"]})
        assert (second.state, second.value["changes"]) == ("success", [])
        # The second look at the numbers is whether there are more.
        assert sorted((entry.method, entry.path) for entry in sandbox.journal) == [
            ("GET", "/v1/agents"),
            ("GET", "/v1/numbers"),
            ("GET", "/v1/numbers"),
        ]

    def test_a_number_is_detached_right_before_it_is_attached(self, sandbox, world, reconcile):
        assert reconcile([route(1, OTHER_AGENT)]).state == "success"
        methods = [entry.method for entry in sandbox.journal if entry.changed]
        assert methods[:2] == ["DELETE", "POST"]

    def test_ids_in_another_case_are_the_same(self, sandbox, world, reconcile):
        agent = world.add_agent(id="a0000000-0000-4000-8000-00000000000a")
        number = world.add_number("+15550100199", id="b0000000-0000-4000-8000-00000000000b", agents=[agent])
        same = reconcile(
            [route(number.upper(), agent.upper())], prune=True, scope={"agents": [agent.upper()]}
        )
        assert (same.state, same.value["changes"], writes(sandbox)) == ("success", [], [])
        pruned = reconcile([route(1, AGENT)], prune=True, scope={"agents": [agent.upper()]})
        assert pruned.state == "success", pruned.log
        assert world.links()[number] == (None, [])

    def test_without_pruning_the_rest_stays(self, world, reconcile):
        assert reconcile([route(3, "caller")]).state == "success"
        assert world.links() == {"pn_1": (AGENT, []), "pn_2": (None, ["caller"]), "pn_3": (None, ["caller"])}

    @pytest.mark.parametrize(
        ("listed", "told"),
        [
            ("listed", f"number {phone(1)} cannot go to agent {OTHER_AGENT}, which is archived"),
            ("hidden", f"there is no agent {OTHER_AGENT}, or it is archived"),
        ],
    )
    def test_an_archived_agent_gets_no_number(self, sandbox, world, reconcile, listed, told):
        sandbox.set(callingbox_archived_agents=listed)
        world.archive(OTHER_AGENT)
        outcome = reconcile([route(1, OTHER_AGENT), route(3, AGENT)])
        assert (outcome.state, writes(sandbox)) == ("failed", [])
        assert told in str(outcome.error)
        assert len(sandbox.journal) == 3

    @pytest.mark.parametrize(
        ("routes", "word"),
        [
            ([route(1, "nobody")], "no agent nobody"),
            ([route(1, AGENT, "outbound")], "is inbound"),
            ([route(1, AGENT), route("pn_1", OTHER_AGENT)], "contradict"),
            ([route("pn_9", AGENT)], "pn_9"),
        ],
    )
    def test_routes_that_cannot_come_true(self, sandbox, world, reconcile, routes, word):
        outcome = reconcile(routes)
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert word in str(outcome.error)
        assert writes(sandbox) == []

    def test_if_a_number_cannot_be_attached_the_old_agent_gets_it_back(self, sandbox, world, reconcile):
        sandbox.faults.add(Fault("status", status=400, method="POST", path=OTHER_AGENT, count=None))
        outcome = reconcile([route(1, OTHER_AGENT), route(3, AGENT)])
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert world.links() == {"pn_1": (AGENT, []), "pn_2": (None, ["caller"]), "pn_3": (AGENT, [])}
        sandbox.faults.clear()
        assert reconcile([route(1, OTHER_AGENT), route(3, AGENT)]).state == "success"
        assert world.links()["pn_1"] == (OTHER_AGENT, [])

    def test_a_number_that_could_not_even_be_put_back_is_attached_by_the_next_run(
        self, sandbox, world, reconcile
    ):
        sandbox.faults.add(Fault("status", status=503, method="POST", count=None))
        outcome = reconcile([route(1, OTHER_AGENT)])
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert world.links()["pn_1"] == (None, [])
        assert all(agent in str(outcome.error) for agent in (AGENT, OTHER_AGENT))
        sandbox.faults.clear()
        assert reconcile([route(1, OTHER_AGENT)], run_options={"try_number": 2}).state == "success"
        assert world.links()["pn_1"] == (OTHER_AGENT, [])

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda world, wish: world.archive(OTHER_AGENT), "is archived"),
            (lambda world, wish: wish["routes"].append(route("pn_9", AGENT)), "pn_9"),
            (lambda world, wish: wish["routes"].append({"number": "pn_3"}), "agent_id"),
            (lambda world, wish: wish.update(max_changes=0), "max_changes"),
        ],
        ids=["its new agent is archived", "no such number", "a bad route", "too many changes"],
    )
    def test_a_number_on_its_way_goes_back_if_there_is_no_plan_any_more(
        self, sandbox, world, reconcile, spoil, told
    ):
        wish: dict[str, Any] = {"routes": [route(1, OTHER_AGENT)]}
        variables: dict[str, str] = {}
        sandbox.faults.add(Fault("status", status=503, method="POST", count=None))
        assert reconcile(**wish, run_options={"variables": variables}).state == "up_for_retry"
        assert world.links()["pn_1"] == (None, [])
        sandbox.faults.clear()
        spoil(world, wish)
        outcome = reconcile(**wish, run_options={"try_number": 2, "variables": variables})
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert told in str(outcome.error)
        assert "may be with nobody" not in str(outcome.error)
        assert f"has been given back: {phone(1)} (id pn_1), to agent {AGENT}." in str(outcome.error)
        assert world.links()["pn_1"] == (AGENT, [])

    def test_a_number_that_somebody_took_meanwhile_is_left_to_the_next_run(self, sandbox, world, reconcile):
        sandbox.faults.meanwhile(
            lambda world: world.callingbox.attach(OTHER_AGENT, "pn_3"), method="GET", path=f"agents/{AGENT}$"
        )
        outcome = reconcile([route(3, AGENT)])
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert world.links()["pn_3"] == (OTHER_AGENT, [])
        assert reconcile([route(3, AGENT)], run_options={"try_number": 2}).state == "success"
        assert world.links()["pn_3"] == (AGENT, [])

    def test_numbers_that_do_not_tell_their_links(self, sandbox, world, reconcile):
        sandbox.set(callingbox_sparse=True)
        outcome = reconcile([route("pn_3", AGENT, "inbound")])
        assert outcome.state != "success"
        assert writes(sandbox) == []

    @pytest.mark.parametrize("primary_key", Switches.choices()["callingbox_primary_body_key"])
    @pytest.mark.parametrize("key", ["number_id", "numberId"])
    def test_the_body_key_of_the_connection(self, sandbox, world, connections, reconcile, key, primary_key):
        sandbox.set(callingbox_attach_body_key=key, callingbox_primary_body_key=primary_key)
        connections["callingbox_default"]["extra"]["attach_body_key"] = key
        world.attach(AGENT, "pn_3")
        assert reconcile([route(3, AGENT), route(1, OTHER_AGENT)]).state == "success"
        assert world.agents[AGENT].primary_number == "pn_3"


class TestMove:
    """A plan moves a number as the attach operator does, but only from the agent that it saw."""

    @pytest.fixture
    def world(self, sandbox):
        world = sandbox.world.callingbox
        for agent in (AGENT, OTHER_AGENT, THIRD_AGENT):
            world.add_agent("inbound", id=agent)
        for i in range(1, 6):
            world.add_number(phone(i), id=f"pn_{i}", agents=[AGENT])
        world.set_primary(AGENT, "pn_1")
        sandbox.journal.clear()
        return world

    @pytest.fixture
    def tries(self, reconcile):
        """One run and its tries, with what Airflow keeps between them."""
        kept: dict[str, Any] = {"stored": {}, "variables": {}}
        return lambda routes, try_number=1, **arguments: reconcile(
            routes,
            operator=CallingBoxReconcileLinksOperator,
            run_options={**kept, "try_number": try_number},
            **arguments,
        )

    def test_the_gap_is_told(self, world, tries):
        log = tries([route(1, OTHER_AGENT)]).log
        assert re.search(r"Before, agent agent-support had it; for \d+\.\d s no inbound agent had\.", log)

    @pytest.mark.parametrize("next_one", ["null", "next"])
    def test_an_agent_that_loses_many_numbers_at_once_has_a_primary_one(
        self, sandbox, world, tries, next_one
    ):
        sandbox.set(callingbox_detached_primary=next_one)
        outcome = tries([route(i, OTHER_AGENT) for i in (3, 1, 2, 4)])
        assert outcome.state == "success", outcome.log
        assert world.agents[AGENT].primary_number == "pn_5"
        assert world.agents[OTHER_AGENT].primary_number == "pn_3"

    def test_so_has_one_that_loses_them_to_nobody(self, world, tries):
        outcome = tries([route(5, AGENT)], prune=True, scope={"agents": [AGENT]})
        assert outcome.state == "success", outcome.log
        assert world.attached(AGENT) == ["pn_5"]
        assert world.agents[AGENT].primary_number == "pn_5"

    @pytest.mark.parametrize("when", ["before the look", "in the gap"])
    def test_a_number_that_yet_another_agent_has_by_then_is_left_there(self, sandbox, world, tries, when):
        def somebody(world):
            if when == "before the look":
                world.callingbox.detach(AGENT, "pn_1")
            world.callingbox.attach(THIRD_AGENT, "pn_1")

        request = {"method": "GET", "path": f"agents/{OTHER_AGENT}$"} if when == "before the look" else {}
        sandbox.faults.meanwhile(somebody, **(request or {"method": "POST"}))
        outcome = tries([route(1, OTHER_AGENT), route(2, OTHER_AGENT)])
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert f"agent {THIRD_AGENT} has it" in str(outcome.error)
        assert (world.links()["pn_1"][0], world.links()["pn_2"][0]) == (THIRD_AGENT, OTHER_AGENT)

        assert tries([route(1, OTHER_AGENT), route(2, OTHER_AGENT)], 2).state == "success"
        assert world.links()["pn_1"][0] == OTHER_AGENT
        # What somebody else took away, they have not asked us to make up for.
        assert world.agents[AGENT].primary_number == ("pn_3" if when == "in the gap" else None)

    def test_a_free_number_that_somebody_attaches_right_before_us_is_left_there(self, sandbox, world, tries):
        world.detach(AGENT, "pn_5")
        sandbox.faults.meanwhile(
            lambda world: world.callingbox.attach(THIRD_AGENT, "pn_5"), method="POST", path=OTHER_AGENT
        )
        outcome = tries([route(5, OTHER_AGENT)])
        assert isinstance(outcome.error, PhonelinkRetryableException), outcome.log
        assert f"the inbound agent {THIRD_AGENT} has it now; at the last look, nobody had it" in str(
            outcome.error
        )
        assert world.links()["pn_5"][0] == THIRD_AGENT

    @pytest.mark.parametrize("status", [400, 503])
    def test_a_primary_number_that_could_not_be_put_right_is_by_the_next_try(
        self, sandbox, world, tries, status
    ):
        armed = sandbox.faults.add(Fault("status", method="PUT", status=status, count=None))
        routes = [route(1, OTHER_AGENT), route(2, OTHER_AGENT)]
        outcome = tries(routes)
        assert outcome.state == ("up_for_retry" if status == 503 else "failed")
        assert f"the primary number of agent {AGENT} could not be put right" in str(outcome.error)
        assert world.agents[AGENT].primary_number is None

        outcome = tries(routes, 2)  # the links are true already, and it fails again
        assert outcome.state == ("up_for_retry" if status == 503 else "failed")
        assert f"the primary number of agent {AGENT} could not be put right" in str(outcome.error)
        assert "may be with nobody" not in str(outcome.error)

        sandbox.faults.remove(armed)
        outcome = tries(routes, 3)
        assert outcome.state == "success", outcome.log
        assert f"what an earlier try left undone for agent {AGENT} is done" in outcome.log
        assert world.agents[AGENT].primary_number == "pn_3"

        world.set_primary(AGENT, "pn_4")  # somebody's wish, later
        assert "nothing was written" in tries(routes, 4).log
        assert world.agents[AGENT].primary_number == "pn_4"
