"""The command line: numbers, waiting, wrong lines, and commands as processes of their own."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from airflow_harness.waiting import EVENTUALLY
from integration.commands import FORMS, is_one_error, parsed
from integration.worlds import ABSENT

from airflow_provider_phonelink.api import answers, pacing
from airflow_provider_phonelink.cli import output, wait
from airflow_provider_phonelink.cli.__main__ import main
from airflow_provider_phonelink.decisions import waiting
from airflow_provider_phonelink.sandbox import Fault

BIN = Path(sys.executable).parent

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")


@pytest.fixture
def sandbox(phonelink_sandbox):
    """The one of the environment, as it is for whoever types commands."""
    phonelink_sandbox.journal.clear()
    return phonelink_sandbox


class TestAgentsAndCredentials:
    @pytest.mark.parametrize("form", FORMS)
    def test_agents_of_dasha(self, phonelink, sandbox, form):
        sandbox.world.dasha.add_agent("agent-new", "Nightly", enabled=False)
        code, out, _ = phonelink("agents", "list", "-o", form)
        assert code == 0
        assert "Nightly" in out
        if form == "json":
            [agent] = [agent for agent in parsed(out, form) if agent["agent_id"] == "agent-new"]
            assert (agent["name"], agent["is_enabled"]) == ("Nightly", False)

    def test_an_archived_agent_is_shown_as_such(self, phonelink, sandbox):
        sandbox.world.callingbox.add_agent("inbound", id="agt_gone", archived=True)
        code, out, _ = phonelink("agents", "list", "--conn-id", "callingbox_default", "-o", "json")
        assert code == 0
        agents = parsed(out, "json")
        assert len(agents) > 1
        assert {agent["id"] for agent in agents if agent["archived"]} == {"agt_gone"}

    @pytest.mark.parametrize("form", FORMS)
    def test_credentials_without_their_passwords(self, phonelink, sandbox, form):
        sandbox.world.dasha.trunks.add_credentials(auth_user="caller", auth_password="s1p-passw0rd")
        code, out, err = phonelink("credentials", "list", "-o", form)
        assert code == 0, err
        assert "caller" in out
        assert "passw" not in (out + err).lower()

    def test_a_vendor_without_credentials_says_so(self, phonelink):
        code, _, err = phonelink("credentials", "list", "--conn-id", "callingbox_default")
        assert code == 1
        assert is_one_error(err, "CallingBox has no SIP credentials to list")


class TestNumbers:
    @pytest.mark.parametrize("form", FORMS)
    def test_list(self, phonelink, form):
        code, out, _ = phonelink("numbers", "list", "--output", form)
        assert code == 0
        if form == "table":
            assert "+15550100001" in out
            assert "agent-support" in out
            return
        found = parsed(out, form)
        assert [number["phone_number"] for number in found] == [f"+1555010000{i}" for i in range(1, 6)]
        assert found[0]["state"] == "Registered"
        assert found[1]["incoming_calls_agent_id"] in (None, "")

    @pytest.mark.parametrize(
        ("words", "count"),
        [
            (("--phone-number", "+15550100002"), 1),
            (("--agent-id", "agent-support"), 1),
            (("--unlinked-only",), 4),
            (("--provider-id", ABSENT), 0),
        ],
    )
    def test_filters(self, phonelink, words, count):
        assert len(parsed(phonelink("numbers", "list", "-o", "json", *words)[1], "json")) == count

    @pytest.mark.parametrize(
        ("words", "ids"),
        [
            ((), ["pn_reception", "pn_reminders", "pn_spare"]),
            (("--unlinked-only",), ["pn_reminders", "pn_spare"]),
            (("--agent-id", "agt_reception"), ["pn_reception"]),
            (("--phone-number", "+15550100103"), ["pn_spare"]),
        ],
    )
    def test_of_callingbox(self, phonelink, words, ids):
        _, out, _ = phonelink("numbers", "list", "--conn-id", "callingbox_default", "-o", "json", *words)
        assert {number["id"] for number in parsed(out, "json")} == set(ids)
        assert "pn_spare" in phonelink("numbers", "list", "--conn-id", "callingbox_default")[1]

    def test_the_id_of_an_agent_is_the_same_in_whatever_case(self, phonelink, sandbox):
        agent = sandbox.world.callingbox.add_agent(id="a0000000-0000-4000-8000-00000000000a")
        number = sandbox.world.callingbox.add_number("+15550100199", agents=[agent])
        words = ("--conn-id", "callingbox_default", "-o", "json")
        _, out, _ = phonelink("numbers", "list", *words, "--agent-id", agent.upper())
        assert [one["id"] for one in parsed(out, "json")] == [number]
        _, out, _ = phonelink("routes", "export", *words, "--scope-agents", agent.upper())
        assert [one["agent_id"] for one in parsed(out, "json")] == [agent]

    @pytest.mark.parametrize("words", [("--agent-id", "agt_reception"), ("--unlinked-only",)])
    def test_a_number_that_does_not_say_where_it_is_attached_is_not_taken_for_free(
        self, phonelink, sandbox, words
    ):
        sandbox.set(callingbox_sparse=True)
        code, out, err = phonelink("numbers", "list", "--conn-id", "callingbox_default", *words)
        assert (code, out) == (1, "")
        assert is_one_error(err, "does not say where it is attached")
        assert phonelink("numbers", "list", "--conn-id", "callingbox_default")[0] == 0

    @pytest.mark.parametrize("conn_id", ["dasha_default", "callingbox_default"])
    @pytest.mark.parametrize(
        ("option", "value"),
        [("--agent-id", ""), ("--agent-id", "None"), ("--phone-number", ""), ("--phone-number", "=+1555")],
    )
    def test_a_filter_that_came_of_nothing_is_refused(self, phonelink, sandbox, conn_id, option, value):
        code, out, err = phonelink("numbers", "list", "--conn-id", conn_id, option, value)
        assert (code, out) == (1, "")
        assert is_one_error(err, option.removeprefix("--").replace("-", "_"))
        assert len(sandbox.journal) == 0

    def test_a_filter_that_the_vendor_does_not_have_is_refused(self, phonelink):
        code, out, err = phonelink(
            "numbers", "list", "--conn-id", "callingbox_default", "--provider-id", ABSENT
        )
        assert (code, out) == (1, "")
        assert is_one_error(err, "--provider-id", "CallingBox")

    def test_vendor_text_cannot_pass_for_more(self, phonelink, sandbox):
        sandbox.world.dasha.add_number("+1999", display_name="[red]x\n\x1b[31m y")
        out = phonelink("numbers", "list")[1]
        assert "[red]x" in out
        assert "\x1b" not in out


class TestWhatASpreadsheetMakesOfIt:
    def test_no_formula_runs_and_the_text_is_the_same_when_read_back(self, phonelink, sandbox):
        names = [
            '=HYPERLINK("http://x")',
            "+1+1",
            "-2",
            "@SUM(A1)",
            "'quoted'",
            " blanks ",
            "MAR1",
            "Empfang, Zürich",
        ]
        for i, name in enumerate(names):
            sandbox.world.dasha.add_number(f"+491511234567{i}", display_name=name)
        out = phonelink("numbers", "list", "-o", "csv")[1]
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        assert [row["display_name"] for row in parsed(out, "csv")][-len(names) :] == names
        assert [row["phone_number"] for row in parsed(out, "csv")][-1] == "+4915112345677"


class TestWait:
    def numbers(self, sandbox, *states):
        return [
            sandbox.world.dasha.add_number(f"+1888{i}", steps=[{"after": 0, "state": state}])
            for i, state in enumerate(states)
        ]

    @pytest.mark.parametrize("form", FORMS)
    def test_until_all_are_active(self, phonelink, sandbox, form):
        ids = self.numbers(sandbox, "Registered", "Active")
        code, out, _ = phonelink("wait", *ids, "-o", form)
        assert code == 0
        if form != "table":
            assert [row["state"] for row in parsed(out, form)] == ["Registered", "Active"]

    def test_looks_again(self, phonelink, sandbox):
        steps = [{"after": 0, "state": "Registering"}, {"after": 0.4, "state": "Registered"}]
        id_ = sandbox.world.dasha.add_number("+1888", steps=steps)
        assert phonelink("wait", id_, "--poll-interval", "0.1")[0] == 0
        assert len(sandbox.journal) > 1

    def test_fails_at_once_when_it_is_in_vain(self, phonelink, sandbox):
        code, _, err = phonelink("wait", *self.numbers(sandbox, "Registered", "Failed"))
        assert code == 1
        assert is_one_error(err, "cannot help", "Failed")

    @pytest.mark.parametrize("seconds", ["60", "1e300"])
    def test_a_failure_that_does_not_last_is_none(self, phonelink, sandbox, seconds):
        steps = [(0, "Registering"), (0.1, "Failed", "408"), (0.4, "Registering"), (0.5, "Registered")]
        id_ = sandbox.world.dasha.add_number("+1888", steps=steps)
        assert phonelink("wait", id_, "--poll-interval", "0.05", "--failed-for", seconds)[0] == 0

    def test_gives_up(self, phonelink, sandbox):
        code, _, err = phonelink("wait", *self.numbers(sandbox, "Disabled"), "--timeout", "0.2")
        assert code == 1
        assert is_one_error(err, "Timed out", "Disabled")

    def test_warns_once_of_a_state_that_is_unknown(self, phonelink, sandbox):
        ids = self.numbers(sandbox, "Online")
        code, _, err = phonelink("wait", *ids, "--timeout", "0.5", "--poll-interval", "0.1")
        warning, error = err.strip().splitlines()
        assert (code, len(sandbox.journal) > 1) == (1, True)
        assert warning.startswith("phonelink: The registration state 'Online' is unknown here")
        assert is_one_error(f"{error}\n", "Timed out", "Online")

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("hang", count=None),
            Fault("status", status=503, count=None),
            Fault("status", status=429, headers={"Retry-After": "60"}, count=None),
        ],
        ids=["hangs", "503", "429"],
    )
    def test_its_deadline_holds_whatever_a_look_waits_for(self, phonelink, sandbox, monkeypatch, fault):
        connection = json.loads(os.environ["AIRFLOW_CONN_DASHA_DEFAULT"])
        connection["extra"] |= {"timeout": 300, "max_failed_polls": 1000}
        monkeypatch.setenv("AIRFLOW_CONN_DASHA_DEFAULT", json.dumps(connection))
        monkeypatch.setattr(answers, "LONGEST_RETRY_AFTER", 300)
        monkeypatch.setattr(pacing, "FIRST_HOLD", 300)
        monkeypatch.setattr(pacing, "LONGEST_HOLD", 300)
        monkeypatch.setattr(wait, "SHORTEST_LOOK", 0.1)
        ids = self.numbers(sandbox, "Registering")
        sandbox.faults.add(fault)
        began = time.monotonic()
        code, _, err = phonelink("wait", *ids, "--timeout", "1", "--poll-interval", "0.1")
        assert code == 1
        assert f"Timed out; the last poll failed, so the states of {ids[0]} are unknown." in err
        assert time.monotonic() - began < 100  # a try alone may take 300 s

    @pytest.mark.parametrize("count", [1, None])
    def test_an_outage(self, phonelink, sandbox, monkeypatch, count):
        connection = json.loads(os.environ["AIRFLOW_CONN_DASHA_DEFAULT"])
        connection["extra"] |= {"max_failed_polls": 2, "max_retries": 0}
        monkeypatch.setenv("AIRFLOW_CONN_DASHA_DEFAULT", json.dumps(connection))
        ids = self.numbers(sandbox, "Registered")
        sandbox.faults.add(Fault("status", status=503, count=count))
        assert phonelink("wait", *ids, "--poll-interval", "0.01")[0] == (1 if count is None else 0)

    @pytest.mark.parametrize(
        "words",
        [
            ("x",),
            (ABSENT, "--timeout", "-1"),
            (ABSENT, "--poll-interval", "nan"),
            (ABSENT, "--failed-for", "-1"),
            (ABSENT,),
        ],
    )
    def test_errors(self, phonelink, monkeypatch, words):
        # A number that is not there may be so new that reads do not show it yet, for a minute.
        monkeypatch.setattr(waiting, "NEW_FOR", timedelta(0))
        code, _, err = phonelink("wait", *words)
        assert code == 1
        assert is_one_error(err)

    def test_callingbox_has_no_registrations(self, phonelink):
        code, _, err = phonelink("wait", ABSENT, "--conn-id", "callingbox_default")
        assert code == 1
        assert is_one_error(err, "CallingBox has no registrations")


class TestTheLineItself:
    @pytest.mark.parametrize(
        "words", [(), ("routes",), ("routes", "plan"), ("nonsense",), ("numbers", "list", "-o", "xml")]
    )
    def test_a_wrong_one_is_an_error_and_no_drift(self, capsys, words):
        with pytest.raises(SystemExit) as caught:
            main(list(words))
        assert caught.value.code == 1
        assert is_one_error(capsys.readouterr().err, " --help`.")

    @pytest.mark.parametrize("words", [("--help",), ("routes", "apply", "--help"), ("wait", "--help")])
    def test_help(self, capsys, words):
        with pytest.raises(SystemExit) as caught:
            main(list(words))
        assert caught.value.code == 0
        assert "Exit codes: 0" in capsys.readouterr().out

    def test_a_connection_of_another_kind(self, phonelink, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", "http://example.invalid")
        code, _, err = phonelink("numbers", "list", "--conn-id", "other")
        assert code == 1
        assert is_one_error(err, "'http'")

    def test_progress_on_a_terminal_only(self, phonelink, routes_file, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        terminal = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(output.sys, "stderr", terminal)  # type: ignore[attr-defined]
            code = main(["routes", "apply", "-f", str(routes_file), "--yes"])
        assert code == 0
        assert "Changing links" in terminal.getvalue()
        assert phonelink("routes", "apply", "-f", routes_file, "--yes")[2] == ""

    def test_interrupted(self, phonelink, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("airflow_provider_phonelink.cli.lists.hook_of", interrupt)
        code, _, err = phonelink("numbers", "list")
        assert code == 130
        assert is_one_error(err, "interrupted")


def in_a_process(*words, **options):
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=EVENTUALLY,
        check=False,
        **options,
    )


class TestAsAProcess:
    COMMAND = (sys.executable, "-m", "airflow_provider_phonelink.cli")

    def test_exit_codes_and_output(self, sandbox, routes_file):
        done = in_a_process(*self.COMMAND, "routes", "plan", "-f", routes_file, "-o", "json")
        assert (done.returncode, json.loads(done.stdout)["drift"]) == (2, True), done.stderr
        done = in_a_process(*self.COMMAND, "routes", "apply", "-f", routes_file, stdin=subprocess.DEVNULL)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        done = in_a_process(*self.COMMAND, "routes", "apply", "-f", routes_file, "--yes")
        assert done.returncode == 0, done.stderr
        assert ("agent-sales", []) in sandbox.world.dasha.links().values()

    def test_a_reader_that_goes_away(self, sandbox):
        for i in range(2000):
            sandbox.world.dasha.add_number(f"+1777{i:05d}", display_name="x" * 200)
        command = " ".join([*self.COMMAND, "numbers", "list", "-o", "csv", "| head -1"])
        done = in_a_process("bash", "-c", command)
        assert done.stdout.startswith("id,phone_number")
        assert "Traceback" not in done.stderr

    def test_connections_in_airflows_database(self, sandbox, migrated_home, tmp_path):
        """The environment has no connections here."""
        from airflow_harness.home import AirflowHome

        home = AirflowHome(tmp_path / "home")
        home.copy_database_from(migrated_home)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")
        }
        environment |= home.variables()
        connection = dict(sandbox.connections["dasha_default"])
        added = in_a_process(
            BIN / "airflow",
            "connections",
            "add",
            "mine",
            "--conn-json",
            json.dumps(connection),
            env=environment,
        )
        assert added.returncode == 0, added.stderr
        done = in_a_process(
            *self.COMMAND, "numbers", "list", "--conn-id", "mine", "-o", "csv", env=environment
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 6


def airflow_takes_commands() -> bool:
    import airflow.providers_manager

    return hasattr(airflow.providers_manager.ProvidersManager, "cli_command_functions")


@pytest.mark.skipif(not airflow_takes_commands(), reason="this Airflow takes no commands of providers")
class TestOfAirflow:
    def test_the_same_commands(self, sandbox, routes_file):
        done = in_a_process(BIN / "airflow", "phonelink", "routes", "plan", "-f", routes_file, "-o", "json")
        assert (done.returncode, json.loads(done.stdout)["drift"]) == (2, True), done.stderr
        done = in_a_process(BIN / "airflow", "phonelink", "numbers", "list", "--conn-id", "nowhere")
        assert done.returncode == 1
        assert "There is no connection 'nowhere'" in done.stderr

    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("unheard-of",),
            ("routes",),
            ("routes", "unheard-of"),
            ("wait", ABSENT, "--timeout", "soon"),
            ("wait",),
            ("numbers", "list", "--unheard-of"),
            ("numbers", "list", "-o", "xml"),
        ],
    )
    def test_a_wrong_line_exits_as_phonelink_does(self, monkeypatch, capsys, words):
        from airflow_provider_phonelink.cli.definition import airflow_commands

        monkeypatch.setattr(sys, "argv", ["/usr/bin/airflow", "phonelink", *words])
        with pytest.raises(SystemExit) as caught:
            airflow_commands()
        assert caught.value.code == 1
        assert "airflow phonelink" in capsys.readouterr().err

    def test_a_wrong_line_as_a_process(self):
        done = in_a_process(BIN / "airflow", "phonelink", "wait", "--unheard-of")
        assert done.returncode == 1, done.stderr
        assert "\nphonelink: error: " in f"\n{done.stderr}"
        assert "See `airflow phonelink wait --help`." in done.stderr

    def test_are_described_from_the_same_source(self):
        from airflow_provider_phonelink.cli.definition import COMMANDS, airflow_commands

        [group] = airflow_commands()
        assert group.name == "phonelink"
        assert [command.name for command in group.subcommands] == [command.name for command in COMMANDS]
