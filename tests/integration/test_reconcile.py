"""Reconcile: afterwards the links equal the routes; what it refuses, and what a dry run does."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow_harness.tasks import run_task
from integration.reconciling import AFTER, BEFORE, OUT, PROVIDER, WISHED, links, phone, route
from integration.worlds import (
    ABSENT,
    AGENT,
    OTHER_AGENT,
    OTHER_CREDENTIALS,
    THIRD_AGENT,
    state_of,
    writes,
)

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator
from airflow_provider_phonelink.operators.dasha import DashaExportRoutesOperator, DashaReconcileLinksOperator


class TestExport:
    """The links as they are, as routes, which bring them back."""

    def export(self, connections, **arguments):
        outcome = run_task(DashaExportRoutesOperator(task_id="export", **arguments), connections=connections)
        assert outcome.state == "success", outcome.log
        return outcome.value

    def test_what_is_exported_brings_the_links_back(self, sandbox, dasha_ids, connections, reconcile):
        scope = {"agents": f"{AGENT}, {OTHER_AGENT}"}
        before = self.export(connections, scope=scope)
        assert before == [
            route(1, AGENT, "inbound"),
            route(2, OTHER_AGENT, "inbound"),
            route(3, OTHER_AGENT, OUT),
        ]
        assert reconcile(WISHED, prune=True, scope=scope).state == "success"
        assert links(sandbox, dasha_ids) != BEFORE
        assert reconcile(before, prune=True, scope=scope).state == "success"
        assert links(sandbox, dasha_ids) == BEFORE

    def test_of_some_agents_and_in_a_scope(self, dasha_ids, connections):
        assert self.export(connections, agents=AGENT) == [route(1, AGENT, "inbound")]
        within = {"agents": [OTHER_AGENT], "scope": {"modes": ["inbound"]}}
        assert self.export(connections, **within) == [route(2, OTHER_AGENT, "inbound")]
        assert len(self.export(connections)) == 3

    @pytest.mark.parametrize(
        "arguments",
        [
            {"agents": AGENT, "scope": {"agents": [AGENT]}},
            {"agents": []},
            {"scope": {}},
            {"scope": {"modes": ["inbound"]}},
            {"agents": AGENT, "scope": "x"},
        ],
    )
    def test_what_is_no_scope_is_refused(self, sandbox, connections, arguments):
        task = DashaExportRoutesOperator(task_id="export", retries=3, **arguments)
        outcome = run_task(task, connections=connections)
        assert isinstance(outcome.error, PhonelinkFailException)
        assert len(sandbox.journal) == 0


class TestDasha:
    def test_the_links_equal_the_routes_and_the_second_run_writes_nothing(
        self, sandbox, dasha_ids, reconcile
    ):
        first = reconcile(WISHED)
        assert first.state == "success", first.log
        assert links(sandbox, dasha_ids) == AFTER
        assert writes(sandbox) == ["PUT agent-link"] * 3
        assert [(c["action"], c["phone_number"], c["state"]) for c in first.value["changes"]] == [
            ("link", phone(4), "done"),
            ("move", phone(4), "done"),
            ("move", phone(1), "done"),
        ]
        assert {key: first.value[key] for key in ("drift", "applied", "unchanged", "done", "failed")} == {
            "drift": True,
            "applied": True,
            "unchanged": 1,
            "done": 3,
            "failed": 0,
        }
        assert first.xcoms["unchanged"] == 1
        for line in (
            f"~ move   {phone(1)} (id {dasha_ids[1]}) inbound from agent {AGENT} to agent {OTHER_AGENT}",
            f"+ link   {phone(4)} (id {dasha_ids[4]}) inbound to agent {AGENT}",
            "1 to link, 2 to move, 0 to unlink, 1 unchanged",
        ):
            assert line in first.log

        sandbox.journal.clear()
        second = reconcile(WISHED, run_options={"try_number": 2})
        assert second.state == "success", second.log
        assert (second.value["drift"], second.value["changes"], second.value["unchanged"]) == (False, [], 4)
        assert writes(sandbox) == []

    def test_links_that_no_route_mentions_stay(self, sandbox, dasha_ids, reconcile):
        assert reconcile([route(4, AGENT)]).state == "success"
        assert links(sandbox, dasha_ids) == {**BEFORE, 4: (AGENT, [])}

    @pytest.mark.parametrize(
        ("scope", "after"),
        [
            ({"agents": [AGENT]}, {**BEFORE, 1: (None, []), 4: (AGENT, [])}),
            ({"agents": [OTHER_AGENT]}, {**BEFORE, 2: (None, []), 3: (None, []), 4: (AGENT, [])}),
            ({"agents": [OTHER_AGENT], "modes": [OUT]}, {**BEFORE, 3: (None, []), 4: (AGENT, [])}),
            ({"provider_id": PROVIDER}, {**BEFORE, 2: (None, []), 3: (None, []), 4: (AGENT, [])}),
            ({"pool": [phone(1), phone(3)]}, {**BEFORE, 1: (None, []), 3: (None, []), 4: (AGENT, [])}),
            ({"pool": [phone(4)]}, {**BEFORE, 4: (AGENT, [])}),
        ],
    )
    def test_pruning_takes_away_the_rest_of_the_scope_and_last(
        self, sandbox, dasha_ids, reconcile, scope, after
    ):
        outcome = reconcile([route(4, AGENT)], prune=True, scope=scope)
        assert outcome.state == "success", outcome.log
        assert links(sandbox, dasha_ids) == after
        methods = [entry.method for entry in sandbox.journal.writes()]
        assert methods == sorted(methods, reverse=True)  # PUT, then DELETE

    def test_an_exchange_of_numbers(self, sandbox, dasha_ids, reconcile):
        assert reconcile([route(1, OTHER_AGENT), route(2, AGENT)]).state == "success"
        assert (links(sandbox, dasha_ids)[1][0], links(sandbox, dasha_ids)[2][0]) == (OTHER_AGENT, AGENT)
        assert len(writes(sandbox)) == 2

    @pytest.mark.parametrize(
        "name", [phone(4), "+1 (555) 010-0004", "0015550100004", "id", "ID"], ids=lambda name: name.strip("+")
    )
    def test_a_number_by_any_name(self, sandbox, dasha_ids, reconcile, name):
        name = {"id": dasha_ids[4], "ID": dasha_ids[4].upper()}.get(name, name)
        assert reconcile([{"number": name, "agent_id": AGENT}]).state == "success"
        assert links(sandbox, dasha_ids)[4] == (AGENT, [])

    def test_no_routes_and_no_pruning_is_nothing(self, sandbox, dasha_ids, reconcile):
        assert reconcile([]).state == "success"
        assert links(sandbox, dasha_ids) == BEFORE

    def test_an_unknown_outbound_literal_is_left_alone(self, sandbox, dasha_ids, reconcile):
        sandbox.set(dasha_outbound_literal="callerId")
        outcome = reconcile([route(3, THIRD_AGENT, OUT)], prune=True, scope={"pool": [phone(3)]})
        assert outcome.state == "success", outcome.log
        assert links(sandbox, dasha_ids)[3] == (None, sorted([OTHER_AGENT, THIRD_AGENT]))
        assert "add the vendor's word to the extra `outbound_uses`" in outcome.value["warnings"][0]

    def test_an_outbound_literal_that_the_connection_names_is_a_link(
        self, sandbox, connections, dasha_ids, reconcile
    ):
        sandbox.set(dasha_outbound_literal="callerId")
        connections["dasha_default"]["extra"]["outbound_uses"] = "outbound, CALLERID"
        wish = {"prune": True, "scope": {"pool": [phone(3)]}}
        assert reconcile([route(3, THIRD_AGENT, OUT)], **wish).state == "success"
        assert links(sandbox, dasha_ids)[3] == (None, [THIRD_AGENT])
        again = reconcile([route(3, THIRD_AGENT, OUT)], **wish)
        assert (again.value["changes"], again.value["warnings"]) == ([], [])


class TestWhatItRefuses:
    def refused(self, sandbox, before, outcome, *words):
        assert outcome.state == "failed", outcome.log
        assert isinstance(outcome.error, PhonelinkFailException)
        for word in words:
            assert word in str(outcome.error)
        assert state_of(sandbox) == before
        assert writes(sandbox) == []

    @pytest.mark.parametrize(
        ("routes", "arguments", "words"),
        [
            (None, {}, ("routes: ",)),
            ("nowhere.yaml", {}, ("routes: ", "nowhere.yaml")),
            ("routes.xlsx", {}, ("routes: ", ".yaml")),
            ("{{ ti.xcom_pull('nothing') }}", {}, ("routes: ",)),
            ([{"number": phone(1)}], {}, ("routes: ", "route 1, agent_id")),
            ([route(1, AGENT, "outbound")], {}, ("routes: ", "mode")),
            ([], {"prune": True}, ("prune: ", "scope")),
            ([], {"prune": "maybe"}, ("prune: ",)),
            ([], {"prune": True, "scope": {}}, ("scope: ",)),
            ([], {"scope": {"agnets": ["a"]}}, ("scope: ", "agnets")),
            ([], {"max_changes": "some"}, ("max_changes: ",)),
            ([], {"dry_run": "perhaps"}, ("dry_run: ",)),
            ([], {"on_drift": "ignore"}, ("on_drift: ",)),
            ([route(1, AGENT), route(1, OTHER_AGENT)], {}, ("routes: ", "route 1 and route 2 contradict")),
        ],
    )
    def test_bad_arguments_before_anything_is_sent(
        self, sandbox, dasha_ids, reconcile, routes, arguments, words
    ):
        before = state_of(sandbox)
        self.refused(sandbox, before, reconcile(routes, **arguments), *words, "Nothing was sent")
        assert len(sandbox.journal) == 0

    @pytest.mark.parametrize(
        ("routes", "words"),
        [
            ([route(1, AGENT), route("+1 555 010 0001", OTHER_AGENT)], ("route 1 and route 2 contradict",)),
            ([route(1, AGENT, OUT), route(2, AGENT, OUT)], ("route 1 and route 2 contradict",)),
            ([route(4, AGENT), route(9, AGENT)], ("route 2", phone(9))),
            ([route(4, AGENT), route(ABSENT, AGENT)], ("route 2", ABSENT)),
        ],
    )
    def test_routes_that_cannot_come_true(self, sandbox, dasha_ids, reconcile, routes, words):
        before = state_of(sandbox)
        self.refused(sandbox, before, reconcile(routes), *words, "Nothing was changed")

    def test_a_phone_number_under_several_credentials(self, sandbox, dasha_ids, reconcile):
        twin = sandbox.world.dasha.add_number(phone(4), OTHER_CREDENTIALS)
        before = state_of(sandbox)
        self.refused(sandbox, before, reconcile([route(4, AGENT)]), dasha_ids[4], twin)
        assert reconcile([route(twin, AGENT)]).state == "success"

    @pytest.mark.parametrize(
        ("limit", "allowed"), [(2, False), (3, True), ("149%", None), ("50%", False), ("2", False)]
    )
    def test_more_changes_than_allowed(self, sandbox, dasha_ids, reconcile, limit, allowed):
        before = state_of(sandbox)
        outcome = reconcile(WISHED, max_changes=limit)
        if allowed:
            assert outcome.state == "success", outcome.log
        else:
            self.refused(sandbox, before, outcome, "max_changes")
            assert allowed is None or "~ move" in outcome.log

    def test_a_percentage_is_of_the_links_before(self, sandbox, dasha_ids, reconcile):
        scope = {"agents": [AGENT, OTHER_AGENT]}
        assert (
            reconcile([route(4, AGENT)], scope=scope, max_changes="0%").state == "success"
        )  # none is taken away
        assert reconcile([route(4, OTHER_AGENT)], scope=scope, max_changes="33%").state == "failed"
        assert reconcile([route(4, OTHER_AGENT)], scope=scope, max_changes="34%").state == "success"  # 1 of 3

    def test_a_caller_id_that_is_replaced_is_one_of_the_links(self, sandbox, dasha_ids, reconcile):
        replaced = [route(4, AGENT, "replaceOutbound")]
        sandbox.world.dasha.link(dasha_ids[3], AGENT, "replaceOutbound")
        assert reconcile(replaced, max_changes="99%").state == "failed"
        assert reconcile(replaced, max_changes="100%").state == "success"


class TestDryRun:
    @pytest.mark.parametrize("on_drift", ["report", "fail", "skip"])
    def test_writes_nothing_and_returns_the_plan(self, sandbox, dasha_ids, reconcile, on_drift):
        before = state_of(sandbox)
        outcome = reconcile(WISHED, dry_run=True, on_drift=on_drift, max_changes=1)
        assert outcome.state == {"report": "success", "fail": "failed", "skip": "skipped"}[on_drift], (
            outcome.log
        )
        assert state_of(sandbox) == before
        assert not [entry for entry in sandbox.journal if entry.method != "GET"]
        assert {change["state"] for change in outcome.value["changes"]} == {"planned"}
        assert (outcome.value["drift"], outcome.value["applied"], outcome.xcoms["drift"]) == (
            True,
            False,
            True,
        )
        assert "+ link" in outcome.log
        if on_drift == "fail":
            assert isinstance(outcome.error, PhonelinkFailException)
            assert "1 to link, 2 to move" in str(outcome.error)

    @pytest.mark.parametrize("on_drift", ["report", "fail", "skip"])
    def test_without_drift_succeeds(self, sandbox, dasha_ids, reconcile, on_drift):
        outcome = reconcile([route(1, AGENT), route(3, OTHER_AGENT, OUT)], dry_run="True", on_drift=on_drift)
        assert outcome.state == "success", outcome.log
        assert (outcome.value["drift"], outcome.value["unchanged"]) == (False, 2)


@pytest.mark.parametrize("operator", [DashaReconcileLinksOperator, CallingBoxReconcileLinksOperator])
def test_airflows_own_dry_run_still_works(operator):
    """Operators of later Airflow versions have a method of the name of our argument."""
    task = operator(task_id="reconcile", routes=[], dry_run=True)
    assert task.plan_only is True
    getattr(task, "dry_run", lambda: None)()


def test_the_example_of_a_file_is_no_template():
    assert not DashaReconcileLinksOperator.template_ext
    assert Path(DashaReconcileLinksOperator(task_id="t", routes=Path("a.yaml")).routes).name == "a.yaml"  # type: ignore[arg-type]
