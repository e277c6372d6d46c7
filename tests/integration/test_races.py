"""Somebody else is at work: between our look and our write, between two tries, or in a race with us."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT, THIRD_AGENT, writes

from airflow_provider_phonelink.decisions.registration import RegistrationRules
from airflow_provider_phonelink.decisions.routes import parse_routes
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.promises.callingbox.attach import attach_number, detach_number
from airflow_provider_phonelink.promises.callingbox.routing import ROUTING as CALLINGBOX
from airflow_provider_phonelink.promises.dasha.create import create_number
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.rotate import DashaCallerId
from airflow_provider_phonelink.promises.dasha.routing import ROUTING as DASHA
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.sandbox import Fault

NEW = "+15550111"
#: The first try is lost before it takes effect, or after; then somebody else acts; then we would try again.
LOST = {"before": Fault("drop", method="PUT"), "after": Fault("drop", method="PUT", when="after")}


def links(sandbox, number):
    return sandbox.world.dasha.links()[number]


class TestBetweenTwoTries:
    """What somebody else did is left alone, and the error says who has the number now."""

    @pytest.mark.parametrize("lost", LOST)
    @pytest.mark.parametrize("if_linked", ["replace", "fail"])
    @pytest.mark.parametrize("seen", [None, OTHER_AGENT])
    def test_an_inbound_link(self, sandbox, hooks, number, lost, if_linked, seen):
        if seen and if_linked == "fail":
            pytest.skip("refused before anything is written")
        if seen:
            sandbox.world.dasha.link(number, seen)
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(number, THIRD_AGENT), method="GET", path=number, nth=2
        )
        sandbox.faults.add(LOST[lost])
        with pytest.raises(PhonelinkFailException, match=f"left with agent {THIRD_AGENT}"):
            hooks().dasha.run(link_number(number, AGENT, if_linked=if_linked))

        assert links(sandbox, number) == (THIRD_AGENT, [])

    @pytest.mark.parametrize("lost", ["before", "after"])
    def test_an_inbound_unlink(self, sandbox, hooks, number, lost):
        sandbox.world.dasha.link(number, AGENT)
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(number, THIRD_AGENT), method="GET", path=number, nth=2
        )
        sandbox.faults.add(Fault("drop", method="DELETE", when=lost))
        outcome = hooks().dasha.run(unlink_number(number, agent_id=AGENT))

        assert links(sandbox, number) == (THIRD_AGENT, [])
        assert THIRD_AGENT in outcome.summary

    def test_an_inbound_link_undone(self, sandbox, hooks, number):
        """Somebody took it away from us: nobody has it, so it is linked again."""
        sandbox.faults.meanwhile(lambda world: world.dasha.unlink(number), method="GET", path=number, nth=2)
        sandbox.faults.add(LOST["after"])
        hooks().dasha.run(link_number(number, AGENT))

        assert links(sandbox, number) == (AGENT, [])

    def test_a_number_deleted(self, sandbox, hooks, number):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.delete(number, force=True), method="GET", path=number, nth=2
        )
        sandbox.faults.add(LOST["before"])
        with pytest.raises(PhonelinkFailException, match="404"):
            hooks().dasha.run(link_number(number, AGENT))

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_create(self, sandbox, hooks, when):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.numbers or world.dasha.add_number(NEW, CREDENTIALS),
            method="GET",
            nth=2,
        )
        sandbox.faults.add(Fault("drop", method="POST", when=when))
        outcome = hooks().dasha.run(create_number(NEW, CREDENTIALS))

        assert list(sandbox.world.dasha.numbers) == [outcome.number.id]

    def test_a_detach_that_somebody_undid(self, sandbox, box, hooks):
        """Detached, and given back by somebody, before we could see our own success: it is taken again."""
        box.attach(AGENT, "pn_free")
        sandbox.faults.meanwhile(
            lambda world: world.callingbox.attach(AGENT, "pn_free"), method="GET", path=f"{AGENT}$", nth=2
        )
        sandbox.faults.add(Fault("drop", method="DELETE", when="after"))
        hooks().callingbox.run(detach_number(AGENT, "pn_free"))

        assert box.attached(AGENT) == []


class TestBetweenLookAndWrite:
    """The window that no client can close: documented, and nothing worse comes of it than is documented."""

    def test_a_link_overwrites(self, sandbox, hooks, number):
        sandbox.faults.meanwhile(lambda world: world.dasha.link(number, THIRD_AGENT), method="PUT")
        hooks().dasha.run(link_number(number, AGENT))

        assert links(sandbox, number) == (AGENT, [])

    @pytest.mark.parametrize("agent_id", ["respected", "refused"])
    def test_an_unlink_does_not_where_the_vendor_looks_at_the_agent(self, sandbox, hooks, number, agent_id):
        sandbox.world.dasha.link(number, AGENT)
        sandbox.set(dasha_unlink_agent_id=agent_id)
        sandbox.faults.meanwhile(lambda world: world.dasha.link(number, THIRD_AGENT), method="DELETE")
        try:
            hooks().dasha.run(unlink_number(number, agent_id=AGENT))
        except PhonelinkFailException:
            assert agent_id == "refused"

        assert links(sandbox, number) == (THIRD_AGENT, [])

    def test_an_unlink_sends_the_agent_it_has_seen(self, sandbox, hooks, number):
        sandbox.world.dasha.link(number, AGENT)
        hooks().dasha.run(unlink_number(number))

        (delete,) = sandbox.journal.requests("DELETE")
        assert delete.query == {"mode": "inbound", "agentId": AGENT}


class TestBetweenWriteAndProof:
    def test_a_link_that_somebody_took_over_says_who_has_it(self, sandbox, hooks, number):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(number, THIRD_AGENT), method="PUT", when="after"
        )
        sandbox.set(write_answers="empty")
        with pytest.raises((PhonelinkRetryableException, PhonelinkFailException), match=THIRD_AGENT):
            hooks().dasha.run(link_number(number, AGENT))

        assert links(sandbox, number) == (THIRD_AGENT, [])

    def test_a_retry_leaves_alone_who_took_it_over(self, sandbox, hooks, number):
        sandbox.faults.meanwhile(
            lambda world: world.dasha.link(number, THIRD_AGENT), method="PUT", when="after"
        )
        sandbox.set(write_answers="empty")
        with pytest.raises(PhonelinkFailException, match=THIRD_AGENT):
            hooks().dasha.run(link_number(number, AGENT))


def rotation(pool, to):
    caller_id = DashaCallerId(AGENT, pool, RegistrationRules(("Registered",), ("Failed",)))
    found = yield from caller_id.look()
    return (yield from caller_id.give(to, found, verify=True))


def reconciliation(routing, routes):
    wished = [{"number": number, "agent_id": agent} for number, agent in routes.items()]
    plan = yield from routing.plan(parse_routes(wished, routing.rules))
    return (yield from routing.apply(plan))


def together(*flows):
    """Run flows at the same time, each with a hook of its own, and return what came of them."""
    start = threading.Barrier(len(flows))
    results: list[Any] = [None] * len(flows)

    def run(n, hook, flow):
        start.wait()
        try:
            results[n] = hook.run(flow)
        except (PhonelinkFailException, PhonelinkRetryableException) as error:
            results[n] = error
        finally:
            hook.close()

    threads = [threading.Thread(target=run, args=(n, *flow)) for n, flow in enumerate(flows)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestRaces:
    """Two runs on one number end in one of the two wished states, and each says truthfully what it left."""

    @pytest.mark.parametrize("answers", ["body", "empty"])
    @pytest.mark.parametrize("if_linked", ["replace", "fail"])
    @pytest.mark.parametrize("round_", range(10))
    def test_two_links(self, sandbox, hooks, number, answers, if_linked, round_):
        sandbox.set(write_answers=answers)
        agents = (AGENT, THIRD_AGENT)
        results = together(
            *((hooks().dasha, link_number(number, agent, if_linked=if_linked)) for agent in agents)
        )
        left, _ = links(sandbox, number)

        assert left in agents
        winner = results[agents.index(left)]
        assert not isinstance(winner, Exception), winner
        for agent, result in zip(agents, results, strict=True):
            if isinstance(result, Exception):
                assert agent != left
                assert f"agent {left}" in str(result)
            else:
                assert result.subject.incoming_calls_agent_id == agent

    @pytest.mark.parametrize("round_", range(10))
    def test_a_link_and_an_unlink(self, sandbox, hooks, number, round_):
        sandbox.world.dasha.link(number, OTHER_AGENT)
        together(
            (hooks().dasha, link_number(number, AGENT)),
            (hooks().dasha, unlink_number(number, agent_id=OTHER_AGENT)),
        )

        assert links(sandbox, number)[0] in (AGENT, None)

    @pytest.mark.parametrize("status", [409, 400, 422])
    @pytest.mark.parametrize("round_", range(5))
    def test_creates(self, sandbox, hooks, status, round_):
        sandbox.set(dasha_duplicate_status=status)
        results = together(*((hooks().dasha, create_number(NEW, CREDENTIALS)) for _ in range(4)))

        assert len(sandbox.world.dasha.numbers) == 1
        assert {result.number.id for result in results} == set(sandbox.world.dasha.numbers)
        assert sorted(result.adopted for result in results) == [False, True, True, True]
        assert writes(sandbox) == ["POST sip-phone-numbers"]

    @pytest.mark.parametrize("round_", range(5))
    def test_two_inbound_agents_want_one_number(self, sandbox, box, hooks, round_):
        agents = (AGENT, OTHER_AGENT)
        results = together(*((hooks().callingbox, attach_number(agent, "pn_free")) for agent in agents))
        holder, _ = box.links()["pn_free"]

        assert holder in agents
        assert not isinstance(results[agents.index(holder)], Exception)
        assert isinstance(results[1 - agents.index(holder)], PhonelinkFailException)

    @pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
    def test_many_runs_of_one_link(self, sandbox, hooks, number, mode):
        results = together(*((hooks().dasha, link_number(number, AGENT, mode)) for _ in range(6)))

        assert not [result for result in results if isinstance(result, Exception)]
        assert len(writes(sandbox)) == 1

    @pytest.mark.parametrize("round_", range(10))
    def test_two_moves(self, sandbox, box, hooks, round_):
        agents = (AGENT, THIRD_AGENT)
        box.add_agent("inbound", id=THIRD_AGENT)
        box.add_number("+15550201", id="pn_moved", agents=[OTHER_AGENT])
        box.set_primary(OTHER_AGENT, "pn_moved")
        results = together(
            *((hooks().callingbox, attach_number(agent, "pn_moved", if_attached="move")) for agent in agents)
        )
        holder, _ = box.links()["pn_moved"]

        assert holder in agents
        assert not isinstance(results[agents.index(holder)], Exception)
        other = results[1 - agents.index(holder)]
        # Who came first has had it, until the other one took it over.
        assert not isinstance(other, Exception) or f"agent {holder} has it" in str(other)
        assert box.agents[OTHER_AGENT].primary_number == "pn_bystander"

    @pytest.mark.parametrize("round_", range(10))
    def test_two_rotations(self, sandbox, hooks, round_):
        dasha = sandbox.world.dasha
        pool = [dasha.add_number(f"+155502{i}", registration=True) for i in range(3)]
        for number in pool:
            dasha.script(number, [(0, "Registered")])
        dasha.link(pool[0], AGENT, "replaceOutbound")
        without = []
        sandbox.faults.meanwhile(
            lambda world: AGENT in world.dasha.outbound.number_of or without.append(1),  # type: ignore[func-returns-value]
            when="after",
            count=None,
        )
        results = together(*((hooks().dasha, rotation(pool, number)) for number in pool[1:]))

        assert not without
        left = dasha.outbound.number_of[AGENT]
        assert left in pool[1:]
        for number, result in zip(pool[1:], results, strict=True):
            if isinstance(result, Exception):
                assert number != left
                assert (
                    f"By now the agent has {dasha.get(left).settings.phone_number} (id {left}) of the pool"
                    in str(result)
                )
            else:
                assert result.id == number

    @pytest.mark.parametrize("round_", range(5))
    def test_two_reconciliations_with_the_same_routes(self, sandbox, box, hooks, round_):
        dasha = sandbox.world.dasha
        numbers = [dasha.add_number(f"+155502{i}", inbound=[OTHER_AGENT, None][i % 2]) for i in range(6)]
        routes = dict.fromkeys(numbers, AGENT)
        for i in range(6):
            box.add_number(f"+155503{i}", id=f"pn_{i}", agents=[OTHER_AGENT] * (i % 2))
        box_routes = {f"pn_{i}": AGENT for i in range(6)}
        reports = together(
            *((hooks().dasha, reconciliation(DASHA, routes)) for _ in range(2)),
            *((hooks().callingbox, reconciliation(CALLINGBOX, box_routes)) for _ in range(2)),
        )

        assert all(report.complete for report in reports), [report.summary for report in reports]
        assert {dasha.links()[number][0] for number in numbers} == {AGENT}
        assert {box.links()[number][0] for number in box_routes} == {AGENT}
        assert box.agents[OTHER_AGENT].primary_number == "pn_bystander"

    @pytest.mark.parametrize("round_", range(5))
    def test_two_reconciliations_that_contradict_each_other(self, sandbox, box, hooks, round_):
        agents = (AGENT, THIRD_AGENT)
        box.add_agent("inbound", id=THIRD_AGENT)
        for i in range(4):
            box.add_number(f"+155503{i}", id=f"pn_{i}", agents=[OTHER_AGENT])
        reports = together(
            *(
                (
                    hooks().callingbox,
                    reconciliation(CALLINGBOX, {f"pn_{i}": agent for i in range(4)}),
                )
                for agent in agents
            )
        )

        for i in range(4):
            holder, _ = box.links()[f"pn_{i}"]
            assert holder in agents
        for report in reports:
            assert report.complete or report.retry_helps
            for result in report.results:
                assert result.state == "done" or "has it" in result.summary, result
