"""``phonelink routes``: what the reconcile operators do, by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import (
    InvalidArgumentError,
    PhonelinkError,
    UnusableSourceError,
)
from airflow_provider_phonelink.api.text import clean, visible
from airflow_provider_phonelink.cli.output import (
    print_diff,
    print_document,
    print_rows,
    progress,
    say,
    warn,
    write_file,
)
from airflow_provider_phonelink.cli.running import DRIFT, IN_SYNC, complain, hook_of
from airflow_provider_phonelink.decisions.approvals import ApprovedPlan, parse_approved_plan
from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.routes import COLUMNS, parse_routes, rows_of_vendor
from airflow_provider_phonelink.decisions.scope import KEYS, Scope, demand_scope, parse_scope
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.files.sources import decoded, reason_of, refuse_replacing
from airflow_provider_phonelink.files.writing import as_json
from airflow_provider_phonelink.promises.reports import Report
from airflow_provider_phonelink.promises.routing import routing_of

if TYPE_CHECKING:
    import argparse

    from airflow_provider_phonelink.decisions.links import LinkRules
    from airflow_provider_phonelink.decisions.planning import Plan
    from airflow_provider_phonelink.hooks.vendor import VendorHook

_COLUMNS = (
    "action",
    "number_id",
    "phone_number",
    "mode",
    "agent_id",
    "previous_agent_id",
    "previous_number_id",
    "state",
    "error",
)

_ROUTE_COLUMNS = ("number", "agent_id", "mode")


def plan(options: argparse.Namespace) -> int:
    """Show the plan."""
    if options.out is not None:
        _refuse_replacing("--out", options.out, options.file)
    with hook_of(options.conn_id) as hook:
        found = _plan(hook, options)
    _print(Report(found), options.output)
    found.refuse_more_than(parse_max_changes(options.max_changes))
    if options.out is not None:
        write_file(options.out, as_json(Report(found).result()))
    return IN_SYNC if found.in_sync else DRIFT


def apply(options: argparse.Namespace) -> int:
    """Show the plan, ask unless it was approved, and apply it."""
    approved = _approved(options.plan) if options.plan is not None else None
    with hook_of(options.conn_id) as hook:
        found = _plan(hook, options)
        if approved is not None:
            found = approved.bind(found)
        if not found.in_sync:
            _print_to_decide(found, options.output)
            found.refuse_more_than(parse_max_changes(options.max_changes))
            if approved is None and not options.yes and not _confirmed(found):
                print("Nothing was changed.", file=sys.stderr)
                return DRIFT
        with progress("Changing links", len(found.changes)) as advance:
            report = hook.run(routing_of(hook.vendor).apply(found, advance))
    _print_done(report, options.output)
    return IN_SYNC if report.complete else complain(report.summary)


def export(options: argparse.Namespace) -> int:
    """Write today's links as routes."""
    with hook_of(options.conn_id) as hook:
        routing = routing_of(hook.vendor)
        scope = _scope(options, routing.rules)
        with progress("Reading links"):
            routes, warnings = hook.run(routing.export(scope))
    for warning in warnings:
        warn(warning)
    print_rows(routes, _ROUTE_COLUMNS, options.output)
    return IN_SYNC


def _plan(hook: VendorHook[Any], options: argparse.Namespace) -> Plan:
    routing = routing_of(hook.vendor)
    parse_max_changes(options.max_changes)
    scope = _scope(options, routing.rules)
    demand_scope(scope, options.prune)
    columns = COLUMNS.with_extra(options.extra_columns)
    if options.output == "csv" and (taken := [name for name in columns.extra if name in _COLUMNS]):
        raise InvalidArgumentError(
            "--extra-columns", f"{', '.join(taken)}: the result in CSV has such a column."
        )
    rows, others = rows_of_vendor(read_rows(options.file, columns, argument="routes"), hook.vendor.key)
    routes = parse_routes(rows, routing.rules, removing=options.prune)
    if others:
        warn(others)
    with progress("Reading links"):
        found: Plan = hook.run(routing.plan(routes, scope=scope, prune=options.prune))
    for warning in found.warnings:
        warn(warning)
    return found


def _refuse_replacing(argument: str, file: str, source: str) -> None:
    try:
        refuse_replacing(file, source)
    except UnusableSourceError as error:
        raise InvalidArgumentError(argument, f"{clean(file)} {error}.") from None


def _approved(file: str) -> ApprovedPlan:
    """Read what ``plan`` wrote."""
    try:
        text = decoded(Path(file).read_bytes())
    except (OSError, ValueError) as error:  # a name with a zero in it, too
        raise InvalidArgumentError("--plan", f"{clean(file)} cannot be read ({reason_of(error)}).") from None
    except UnusableSourceError as error:
        raise InvalidArgumentError("--plan", f"{clean(file)} {error}.") from None
    try:
        return parse_approved_plan(text)
    except InvalidArgumentError as error:
        raise InvalidArgumentError("--plan", f"{clean(file)}: {error.problem}") from None


def _scope(options: argparse.Namespace, rules: LinkRules) -> Scope | None:
    given: dict[str, Any] = {
        key: value for key in KEYS if (value := getattr(options, f"scope_{key}")) is not None
    }
    return parse_scope(given or None, rules)


def _print(report: Report, form: str) -> None:
    result = report.result()
    if form == "table":
        print_diff(report.plan.diff())
        say(f"Plan: {report.plan.summary}; {report.plan.links_in_scope} links in scope.")
    elif form == "csv":
        extras = dict.fromkeys(name for change in result["changes"] for name in change["extra"])
        rows = [{**change["extra"], **change} for change in result["changes"]]
        print_rows(rows, (*_COLUMNS, *(name for name in extras if name not in _COLUMNS)), form)
    else:
        print_document(result, form)


def _print_to_decide(found: Plan, form: str) -> None:
    """Show the plan where it does not interfere with output for programs."""
    if form == "table":
        _print(Report(found), form)
        return
    for line in found.diff():
        print(visible(line), file=sys.stderr)


def _print_done(report: Report, form: str) -> None:
    if form != "table":
        _print(report, form)
    elif report.complete:
        say(report.summary)


def _confirmed(found: Plan) -> bool:
    if not sys.stdin.isatty():
        raise PhonelinkError("--yes is needed where nobody can be asked. Nothing was changed.")
    print(f"Make {len(found.changes)} changes? Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
