"""The command line: routes are planned, applied and exported."""

from __future__ import annotations

import io
import json
import sys

import pytest
from integration.commands import FORMS, is_one_error, parsed
from integration.worlds import state_of, writes

from airflow_provider_phonelink.sandbox import Fault

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")


@pytest.fixture
def sandbox(phonelink_sandbox):
    """The one of the environment, as it is for whoever types commands."""
    phonelink_sandbox.journal.clear()
    return phonelink_sandbox


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
@pytest.mark.parametrize("words", [("apply", "--yes", "--plan"), ("plan", "--out")])
def test_a_file_whose_name_is_empty_or_none_is_not_taken_for_none(
    phonelink, sandbox, routes_file, words, name
):
    command, *options = words
    code, _, err = phonelink("routes", command, "-f", routes_file, *options, name)
    assert code == 1
    assert is_one_error(err, options[-1])
    assert not writes(sandbox)


class TestPlan:
    @pytest.mark.parametrize("form", FORMS)
    def test_drift(self, phonelink, sandbox, routes_file, form):
        before = state_of(sandbox)
        code, out, err = phonelink("routes", "plan", "-f", routes_file, "-o", form)
        assert (code, err) == (2, "")
        if form == "table":
            first, last = out.splitlines()
            assert first.startswith("+ link   +15550100003 (id ")
            assert last == "Plan: 1 to link, 0 to move, 0 to unlink, 1 unchanged; 1 links in scope."
        elif form == "csv":
            [change] = parsed(out, form)
            assert (change["action"], change["phone_number"], change["state"]) == (
                "link",
                "+15550100003",
                "planned",
            )
        else:
            found = parsed(out, form)
            assert (found["drift"], found["applied"], found["unchanged"]) == (True, False, 1)
        assert state_of(sandbox) == before

    @pytest.mark.parametrize("form", FORMS)
    def test_in_sync(self, phonelink, routes_file, form):
        routes_file.write_text("- {number: '+15550100001', agent_id: agent-support}")
        assert phonelink("routes", "plan", "-f", routes_file, "-o", form)[0] == 0

    def test_pruning_within_a_scope(self, phonelink, routes_file):
        words = ("routes", "plan", "-f", routes_file, "--prune", "--scope-pool", "+15550100001,+15550100002")
        _, out, _ = phonelink(*words, "--scope-modes", "replaceOutbound")
        assert "- unlink +15550100002" in out
        assert "- unlink" not in phonelink(*words, "--scope-agents", "agent-sales")[1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--prune",), "scope"),
            (("--max-changes", "x"), "max_changes"),
            (("--max-changes", "0"), "max_changes=0"),
            (("--scope-modes", "inbound"), "scope"),
            (("--scope-pool", "+1999"), "+1999"),
            (("--conn-id", "nowhere"), "There is no connection 'nowhere'"),
        ],
    )
    def test_errors(self, phonelink, sandbox, routes_file, words, said):
        code, _, err = phonelink("routes", "plan", "-f", routes_file, *words)
        assert code == 1
        assert is_one_error(err, said)
        assert writes(sandbox) == []

    @pytest.mark.parametrize("text", ["- {number: '+1999', agent_id: a}", "- {number: ''}", "{", "x"])
    def test_bad_files(self, phonelink, routes_file, text):
        routes_file.write_text(text)
        code, out, err = phonelink("routes", "plan", "-f", routes_file)
        assert (code, out) == (1, "")
        assert is_one_error(err, "routes: ")

    @pytest.mark.parametrize("form", FORMS)
    def test_one_file_for_both_vendors(self, phonelink, tmp_path, form):
        (tmp_path / "r.csv").write_text(
            "number,agent_id,vendor,ticket\n+15550100003,agent-sales,dasha,=1+1\npn_spare,agt_reminders,callingbox,T\n"
        )
        words = ("routes", "plan", "-f", tmp_path / "r.csv", "-o", form)
        assert is_one_error(phonelink(*words)[2], "'ticket' is not known")
        code, out, err = phonelink(*words, "--extra-columns", "ticket")
        assert (code, err) == (2, "phonelink: 1 of 2 routes are for other vendors and were left to them.\n")
        if form == "csv":
            assert "'=1+1" in out
            assert parsed(out, form)[0]["ticket"] == "=1+1"
        elif form != "table":
            assert parsed(out, form)["changes"][0]["extra"] == {"ticket": "=1+1"}

    def test_an_emptied_table_prunes_nothing(self, phonelink, sandbox, tmp_path):
        (tmp_path / "r.csv").write_text("number,agent_id\n")
        words = ("-f", tmp_path / "r.csv", "--prune", "--scope-agents", "agent-support")
        for command in ("plan", "apply"):
            code, _, err = phonelink("routes", command, *words)
            assert code == 1
            assert is_one_error(err, "write []")
        assert len(sandbox.journal) == 0

    def test_no_file(self, phonelink, tmp_path):
        code, _, err = phonelink("routes", "plan", "-f", tmp_path / "none.yaml")
        assert code == 1
        assert is_one_error(err, "none.yaml")

    @pytest.mark.parametrize("status", [401, 503])
    def test_a_vendor_that_refuses(self, phonelink, sandbox, routes_file, status):
        sandbox.faults.add(Fault("status", status=status, count=None))
        code, out, err = phonelink("routes", "plan", "-f", routes_file)
        assert (code, out) == (1, "")
        assert is_one_error(err.splitlines(keepends=True)[-1], str(status))

    def test_a_use_that_is_unknown_is_a_warning(self, phonelink, sandbox, routes_file):
        sandbox.set(dasha_outbound_literal="callerId")
        routes_file.write_text("- {number: '+15550100002', agent_id: agent-campaign, mode: replaceOutbound}")
        code, _, err = phonelink("routes", "plan", "-f", routes_file)
        assert code == 2
        assert "unknown here" in err


class TestApply:
    @pytest.mark.parametrize("form", FORMS)
    def test_yes(self, phonelink, sandbox, routes_file, form):
        code, out, _ = phonelink("routes", "apply", "-f", routes_file, "--yes", "-o", form)
        assert code == 0
        assert writes(sandbox) == ["PUT agent-link"]
        if form == "table":
            assert out.splitlines()[-1] == "All 1 changes are made; 1 routes were true already."
        elif form == "csv":
            assert [change["state"] for change in parsed(out, form)] == ["done"]
        else:
            assert (parsed(out, form)["applied"], parsed(out, form)["done"]) == (True, 1)
        assert phonelink("routes", "plan", "-f", routes_file)[0] == 0
        assert phonelink("routes", "apply", "-f", routes_file)[0] == 0  # nothing to ask about
        assert len(writes(sandbox)) == 1

    @pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 0), ("no\n", 2), ("\n", 2), ("", 2)])
    def test_asks(self, phonelink, sandbox, routes_file, monkeypatch, answer, code):
        stdin = io.StringIO(answer)
        stdin.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stdin)
        found, out, err = phonelink("routes", "apply", "-f", routes_file)
        assert found == code
        assert out.startswith("+ link   +15550100003")
        assert "Make 1 changes?" in err
        assert len(writes(sandbox)) == (code == 0)

    def test_needs_yes_where_nobody_can_be_asked(self, phonelink, sandbox, routes_file, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
        code, _, err = phonelink("routes", "apply", "-f", routes_file)
        assert code == 1
        assert is_one_error(err, "--yes")
        assert writes(sandbox) == []

    def test_no_more_changes_than_allowed(self, phonelink, sandbox, routes_file):
        code, _, err = phonelink("routes", "apply", "-f", routes_file, "--yes", "--max-changes", "0")
        assert code == 1
        assert is_one_error(err, "max_changes=0")
        assert writes(sandbox) == []

    def test_a_partial_failure(self, phonelink, sandbox, routes_file):
        routes_file.write_text(
            routes_file.read_text() + "- {number: '+15550100005', agent_id: agent-sales}\n"
        )
        fault = sandbox.faults.add(Fault("status", status=400, method="PUT", count=1))
        code, out, err = phonelink("routes", "apply", "-f", routes_file, "--yes", "-o", "json")
        assert code == 1
        assert is_one_error(err.splitlines(keepends=True)[-1], "1 of 2 changes are made, 1 failed", "400")
        assert sorted(change["state"] for change in parsed(out, "json")["changes"]) == ["done", "failed"]
        sandbox.faults.remove(fault)
        assert phonelink("routes", "apply", "-f", routes_file, "--yes")[0] == 0

    def test_on_callingbox(self, phonelink, sandbox, tmp_path):
        (tmp_path / "r.csv").write_text(
            "number,agent_id\n+15550100103,agt_reception\npn_spare,agt_reminders\n"
        )
        words = ("-f", tmp_path / "r.csv", "--conn-id", "callingbox_default", "--yes")
        assert phonelink("routes", "apply", *words)[0] == 0
        assert sandbox.world.callingbox.links()["pn_spare"] == ("agt_reception", ["agt_reminders"])
        assert phonelink("routes", "plan", *words[:-1])[0] == 0


class TestExport:
    @pytest.mark.parametrize("form", ["yaml", "json", "csv"])
    @pytest.mark.parametrize("conn_id", ["dasha_default", "callingbox_default"])
    def test_is_a_file_of_routes_that_are_true(self, phonelink, tmp_path, form, conn_id):
        code, out, err = phonelink("routes", "export", "-o", form, "--conn-id", conn_id)
        assert (code, err) == (0, "")
        assert len(parsed(out, form)) == 2
        (tmp_path / f"r.{form}").write_text(out)
        words = ("-f", tmp_path / f"r.{form}", "--conn-id", conn_id, "-o", "json")
        code, out, _ = phonelink("routes", "plan", *words)
        assert (code, parsed(out, "json")["unchanged"]) == (0, 2)

    def test_names_a_number_by_its_id_if_others_have_that_phone_number(self, phonelink, sandbox):
        [id_] = [
            n.id for n in sandbox.world.dasha.numbers.values() if n.settings.phone_number == "+15550100001"
        ]
        sandbox.world.dasha.add_number("+15550100001")
        found = parsed(phonelink("routes", "export")[1], "yaml")
        assert found[0] == {"number": id_, "agent_id": "agent-support", "mode": "inbound"}

    @pytest.mark.parametrize(
        ("words", "modes", "reads"),
        [
            (("--scope-modes", "inbound", "--scope-agents", "agent-support"), ["inbound"], 0),
            (("--scope-pool", "+15550100002"), ["replaceOutbound"], 1),
            (("--scope-agents", "agent-campaign"), ["replaceOutbound"], 2),
        ],
    )
    def test_of_a_scope(self, phonelink, sandbox, words, modes, reads):
        found = parsed(phonelink("routes", "export", *words)[1], "yaml") or []
        assert [route["mode"] for route in found] == modes
        assert len(sandbox.journal.requests(path="affected-agents")) == reads

    def test_an_unknown_use_is_a_warning(self, phonelink, sandbox):
        sandbox.set(dasha_outbound_literal="callerId")
        code, out, err = phonelink("routes", "export")
        assert (code, len(parsed(out, "yaml"))) == (0, 1)
        assert "unknown here" in err


class TestWhatItCosts:
    """Outbound links are read by credentials."""

    @pytest.fixture
    def fleet(self, sandbox):
        def add(count: int, links: bool) -> None:
            dasha = sandbox.world.dasha
            for index in range(count):
                dasha.add_number(
                    f"+1556{index:07}",
                    f"c{index % 5}000000-0000-4000-8000-000000000000",
                    outbound=[f"agent-{index}"] if links else [],
                )
            sandbox.journal.clear()

        return add

    def test_600_outbound_routes_under_5_credentials_are_planned_in_8_requests(
        self, phonelink, sandbox, routes_file, fleet
    ):
        fleet(600, links=True)
        routes_file.write_text(
            "".join(
                f"- {{number: '+1556{index:07}', agent_id: agent-{index}, mode: replaceOutbound}}\n"
                for index in range(600)
            )
        )
        code, out, _ = phonelink("routes", "plan", "-f", routes_file)
        assert code == 0, out
        assert len(sandbox.journal) <= 8

    def test_1000_numbers_under_5_credentials_are_exported_in_10_requests(self, phonelink, sandbox, fleet):
        fleet(1000, links=True)
        code, out, err = phonelink("routes", "export", "-o", "json")
        assert code == 0, err
        assert len(parsed(out, "json")) >= 1000
        assert len(sandbox.journal) <= 10


class TestApprovedPlan:
    @pytest.fixture
    def file(self, tmp_path, routes_file, phonelink):
        found = tmp_path / "plan.json"
        assert phonelink("routes", "plan", "-f", routes_file, "--out", found)[0] == 2
        return found

    def test_a_plan_is_applied(self, phonelink, sandbox, routes_file, file):
        printed = json.loads(phonelink("routes", "plan", "-f", routes_file, "-o", "json")[1])
        assert json.loads(file.read_text()) == printed
        assert printed["applied"] is False
        code, out, _ = phonelink("routes", "apply", "-f", routes_file, "--plan", file)
        assert (code, writes(sandbox)) == (0, ["PUT agent-link"])
        assert "All 1 changes are made" in out
        assert phonelink("routes", "apply", "-f", routes_file, "--plan", file)[0] == 0

    def test_the_routes_are_not_replaced_by_their_plan(self, phonelink, sandbox, routes_file):
        file = routes_file.rename(routes_file.with_suffix(".json"))
        file.write_text("[]")
        sandbox.journal.clear()
        code, _, err = phonelink("routes", "plan", "-f", file, "--out", file)
        assert (code, file.read_text(), len(sandbox.journal)) == (1, "[]", 0)
        assert is_one_error(err, "--out", "is what is read, and would be replaced")

    def test_an_extra_column_takes_none_of_the_results(self, phonelink, routes_file):
        words = ("routes", "plan", "-f", routes_file, "--extra-columns", "team, state", "-o", "csv")
        code, _, err = phonelink(*words)
        assert code == 1
        assert is_one_error(err, "--extra-columns", "state")

    def test_a_plan_of_a_pruning_run_is_applied_by_one(self, phonelink, sandbox, routes_file, tmp_path):
        routes_file.write_text("[]")
        scope = ("--scope-agents", "agent-support", "--prune")
        file = tmp_path / "plan.json"
        assert phonelink("routes", "plan", "-f", routes_file, *scope, "--out", file)[0] == 2
        code, _, err = phonelink("routes", "apply", "-f", routes_file, "--plan", file)
        assert (code, writes(sandbox)) == (1, [])
        assert "approved changes are neither made nor asked for any more" in err
        assert phonelink("routes", "apply", "-f", routes_file, *scope, "--plan", file)[0] == 0

    def test_a_plan_may_be_saved_by_powershell(self, phonelink, sandbox, routes_file, file):
        file.write_bytes(("\ufeff" + file.read_text()).encode("utf-16-le"))
        code, _, err = phonelink("routes", "apply", "-f", routes_file, "--plan", file)
        assert (code, writes(sandbox)) == (0, ["PUT agent-link"]), err

    def test_another_plan_is_refused(self, phonelink, sandbox, routes_file, file):
        routes_file.write_text("- {number: '+15550100004', agent_id: agent-sales}")
        code, _, err = phonelink("routes", "apply", "-f", routes_file, "--plan", file, "--yes")
        assert (code, writes(sandbox)) == (1, [])
        assert "[+ link +15550100004" in err

    @pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"changes": [1]}', b"\xff"])
    def test_a_file_that_has_no_plan(self, phonelink, sandbox, routes_file, tmp_path, content):
        found = tmp_path / "x.json"
        if content is not None:
            found.write_bytes(content)
        code, _, err = phonelink("routes", "apply", "-f", routes_file, "--plan", found)
        assert (code, len(sandbox.journal)) == (1, 0)
        assert f"--plan: {found}" in err

    def test_where_a_plan_is_written(self, phonelink, routes_file, tmp_path):
        (tmp_path / "plan.json").symlink_to("real.json")
        for out in ("plan.json", "x" * 253):
            assert phonelink("routes", "plan", "-f", routes_file, "--out", tmp_path / out)[0] == 2
        assert (tmp_path / "plan.json").is_symlink()
        assert (tmp_path / "real.json").read_text() == (tmp_path / ("x" * 253)).read_text() != ""
        code, _, err = phonelink("routes", "plan", "-f", routes_file, "--out", tmp_path / "no" / "plan.json")
        assert (code, "--out: " in err, "cannot be written" in err) == (1, True, True)
