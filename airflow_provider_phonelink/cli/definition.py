"""
The commands, each described once, for ``phonelink`` and for ``airflow phonelink``.

Every ``airflow`` command imports this module, so it imports nothing but the standard library and the list of vendors.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink import vendors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.cli.cli_config import CLICommand

ABOUT = f"Phone numbers of voice agents ({', '.join(vendor.name for vendor in vendors.VENDORS)})"
EXIT_CODES = "Exit codes: 0 all is as it should be, 2 it is not (drift), 1 an error."


@dataclass(frozen=True)
class Argument:
    """One option or positional argument, in the terms of argparse."""

    flags: tuple[str, ...]
    words: dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A command; ``function`` is its location, ``module:function``."""

    name: str
    help: str
    function: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Group:
    """Commands with a common first word."""

    name: str
    help: str
    commands: tuple[Command, ...]


def _argument(*flags: str, **words: Any) -> Argument:
    return Argument(flags, words)


def _output(*choices: str) -> Argument:
    return _argument("-o", "--output", choices=choices, default=choices[0], help="form of the output")


_CONN_ID = _argument(
    "--conn-id",
    default=vendors.VENDORS[0].default_conn_id,
    help=f"Airflow connection of type {' or '.join(vendors.keys())} ({vendors.VENDORS[0].default_conn_id})",
)
_OUTPUT = _output("table", "json", "yaml", "csv")
_SCOPE = (
    _argument("--scope-agents", metavar="IDS", help="scope: agents, comma-separated"),
    _argument("--scope-provider-id", metavar="ID", help="scope: the numbers that this provider manages"),
    _argument(
        "--scope-pool", metavar="NUMBERS", help="scope: numbers, by id or phone number, comma-separated"
    ),
    _argument("--scope-modes", metavar="MODES", help="scope: modes, comma-separated"),
)
_PLAN = (
    _argument(
        "-f",
        "--file",
        required=True,
        metavar="FILE",
        help="routes, in YAML, JSON or CSV: a path, or a URL of object storage",
    ),
    _argument(
        "--extra-columns", metavar="NAMES", help="columns that the file may have besides, comma-separated"
    ),
    _argument("--prune", action="store_true", help="remove links in the scope that no route mentions"),
    *_SCOPE,
    _argument(
        "--max-changes",
        metavar="N",
        help="refuse a plan with more changes: a count, or 10%% of the links in scope",
    ),
    _CONN_ID,
    _OUTPUT,
)

COMMANDS: tuple[Command | Group, ...] = (
    Group(
        "numbers",
        "Look at phone numbers",
        (
            Command(
                "list",
                "List phone numbers",
                "airflow_provider_phonelink.cli.lists:list_numbers",
                (
                    _argument("--phone-number", metavar="NUMBER", help="only this phone number, as written"),
                    _argument("--agent-id", metavar="ID", help="only numbers that this agent answers"),
                    _argument(
                        "--unlinked-only", action="store_true", help="only numbers that nobody answers"
                    ),
                    _argument("--provider-id", metavar="ID", help="only numbers of this provider"),
                    _CONN_ID,
                    _OUTPUT,
                ),
            ),
        ),
    ),
    Group(
        "agents",
        "Look at agents",
        (
            Command(
                "list",
                "List agents",
                "airflow_provider_phonelink.cli.lists:list_agents",
                (_CONN_ID, _OUTPUT),
            ),
        ),
    ),
    Group(
        "credentials",
        "Look at SIP credentials",
        (
            Command(
                "list",
                "List SIP credentials, without their passwords",
                "airflow_provider_phonelink.cli.lists:list_credentials",
                (_CONN_ID, _OUTPUT),
            ),
        ),
    ),
    Group(
        "routes",
        "Keep links as a file of routes wants them",
        (
            Command(
                "plan",
                "Show what would change",
                "airflow_provider_phonelink.cli.routes:plan",
                (
                    *_PLAN,
                    _argument("--out", metavar="FILE", help="also write the plan there, to be applied later"),
                ),
            ),
            Command(
                "apply",
                "Show what would change, and change it",
                "airflow_provider_phonelink.cli.routes:apply",
                (
                    *_PLAN,
                    _argument(
                        "--plan",
                        metavar="FILE",
                        help="make the changes of this plan (`plan --out`) only; do not ask",
                    ),
                    _argument("-y", "--yes", action="store_true", help="do not ask"),
                ),
            ),
            Command(
                "export",
                "Write today's links as a file of routes",
                "airflow_provider_phonelink.cli.routes:export",
                (*_SCOPE, _CONN_ID, _output("yaml", "json", "csv")),
            ),
        ),
    ),
    Command(
        "doctor",
        "Look at an account, and at what no document says of its vendor; writes nothing",
        "airflow_provider_phonelink.cli.doctor:doctor",
        (_CONN_ID, _OUTPUT),
    ),
    Command(
        "wait",
        "Wait until the registrations of numbers are active",
        "airflow_provider_phonelink.cli.wait:wait",
        (
            _argument("number_ids", nargs="+", metavar="NUMBER_ID", help="ids or phone numbers"),
            _argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="give up after (600)"),
            _argument("--poll-interval", type=float, default=5.0, metavar="SECONDS", help="look every (5)"),
            _argument(
                "--failed-for",
                type=float,
                default=0.0,
                metavar="SECONDS",
                help="how long a failure has to last (0)",
            ),
            _CONN_ID,
            _OUTPUT,
        ),
    ),
)


class Parser(argparse.ArgumentParser):
    """A parser that exits with 1 on a wrong command line, because 2 means drift."""

    def error(self, message: str) -> Any:
        """Print what is wrong, in one line as of any other error, and exit with 1."""
        line = " ".join(message.split())
        self.exit(1, f"phonelink: error: {line}. See `{self.prog} --help`.\n")


def parser(name: str = "phonelink") -> Parser:
    """Return the parser of ``phonelink``, or of what else it is called."""
    top = Parser(prog=name, description=ABOUT, epilog=EXIT_CODES)
    _add(top, COMMANDS)
    return top


def airflow_commands() -> list[CLICommand]:
    """Return the commands for ``airflow phonelink`` (the provider's ``cli`` entry)."""
    from airflow.cli.cli_config import GroupCommand

    program, *words = sys.argv
    if Path(program).stem in ("airflow", "__main__") and words[:1] == ["phonelink"]:
        # Airflow's parser exits with 2 on a wrong command line, which means drift here; ours comes first.
        parser("airflow phonelink").parse_args(words[1:])
    return [
        GroupCommand(
            name="phonelink",
            help=ABOUT,
            description=f"{ABOUT}. {EXIT_CODES}",
            subcommands=tuple(map(_for_airflow, COMMANDS)),
        )
    ]


def _add(top: argparse.ArgumentParser, commands: Sequence[Command | Group]) -> None:
    below = top.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        added = below.add_parser(command.name, help=command.help, description=command.help, epilog=EXIT_CODES)
        if isinstance(command, Group):
            _add(added, command.commands)
            continue
        added.set_defaults(function=command.function)
        for argument in command.arguments:
            added.add_argument(*argument.flags, **argument.words)


def _for_airflow(command: Command | Group) -> CLICommand:
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

    if isinstance(command, Group):
        return GroupCommand(command.name, command.help, tuple(map(_for_airflow, command.commands)))

    def run(options: argparse.Namespace) -> None:
        from airflow_provider_phonelink.cli.running import run

        raise SystemExit(run(command.function, options))

    arguments = [Arg(argument.flags, **argument.words) for argument in command.arguments]
    return ActionCommand(command.name, command.help, run, arguments, epilog=EXIT_CODES)
