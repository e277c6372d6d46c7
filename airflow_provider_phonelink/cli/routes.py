"""``phonelink routes``: the engine of the reconcile operators, by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import PhonelinkError
from airflow_provider_phonelink.cli.output import print_diff, print_document, print_rows, progress, say
from airflow_provider_phonelink.cli.running import DRIFT, IN_SYNC, Hook, complain, hook_of
from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.links import CALLINGBOX, DASHA, LinkRules
from airflow_provider_phonelink.decisions.routes import COLUMNS, parse_routes
from airflow_provider_phonelink.decisions.scope import Scope, demand_scope, parse_scope
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.promises import export as exporting
from airflow_provider_phonelink.promises.applying import Report
from airflow_provider_phonelink.promises.callingbox import routing as callingbox_routing
from airflow_provider_phonelink.promises.dasha import routing as dasha_routing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow_provider_phonelink.decisions.planning import Plan
    from airflow_provider_phonelink.promises.applying import ChangeResult

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
    with hook_of(options.conn_id) as hook:
        found = _plan(hook, options)
    _print(Report(found), options.output)
    found.refuse_more_than(parse_max_changes(options.max_changes))
    return IN_SYNC if found.in_sync else DRIFT


def apply(options: argparse.Namespace) -> int:
    """Show the plan, ask, and apply it."""
    with hook_of(options.conn_id) as hook:
        found = _plan(hook, options)
        if not found.in_sync:
            _print_to_decide(found, options.output)
            found.refuse_more_than(parse_max_changes(options.max_changes))
            if not options.yes and not _confirmed(found):
                print("Nothing was changed.", file=sys.stderr)
                return DRIFT
        with progress("Changing links", len(found.changes)) as advance:
            report = _apply(hook, found, advance)
    _print_done(report, options.output)
    return IN_SYNC if report.complete else complain(report.summary)


def export(options: argparse.Namespace) -> int:
    """Write today's links as routes."""
    with hook_of(options.conn_id) as hook:
        scope = _scope(options, _rules(hook))
        flow = (
            exporting.callingbox_routes(scope)
            if isinstance(hook, CallingBoxHook)
            else exporting.dasha_routes(scope)
        )
        with progress("Reading links"):
            routes, warnings = hook.run(flow)
    for warning in warnings:
        print(f"phonelink: {warning}", file=sys.stderr)
    print_rows(routes, _ROUTE_COLUMNS, options.output)
    return IN_SYNC


def _rules(hook: Hook) -> LinkRules:
    return CALLINGBOX if isinstance(hook, CallingBoxHook) else DASHA


def _plan(hook: Hook, options: argparse.Namespace) -> Plan:
    rules = _rules(hook)
    parse_max_changes(options.max_changes)
    scope = _scope(options, rules)
    demand_scope(scope, options.prune)
    rows = read_rows(options.file, COLUMNS, argument="routes")
    routes = parse_routes(rows, rules, removing=options.prune)
    plan_links = (callingbox_routing if rules is CALLINGBOX else dasha_routing).plan_links
    with progress("Reading links"):
        found: Plan = hook.run(plan_links(routes, scope=scope, prune=options.prune))
    for warning in found.warnings:
        print(f"phonelink: {warning}", file=sys.stderr)
    return found


def _apply(hook: Hook, found: Plan, on_result: Callable[[ChangeResult], None]) -> Report:
    if isinstance(hook, CallingBoxHook):
        return hook.run(callingbox_routing.apply_plan(found, on_result))
    return hook.run(dasha_routing.apply_plan(found, on_result))


def _scope(options: argparse.Namespace, rules: LinkRules) -> Scope | None:
    given: dict[str, Any] = {
        key: value
        for key in ("agents", "provider_id", "pool", "modes")
        if (value := getattr(options, f"scope_{key}")) is not None
    }
    return parse_scope(given or None, rules)


def _print(report: Report, form: str) -> None:
    result = report.result()
    if form == "table":
        print_diff(report.plan.diff())
        say(f"Plan: {report.plan.summary}; {report.plan.links_in_scope} links in scope.")
    elif form == "csv":
        print_rows(result["changes"], _COLUMNS, form)
    else:
        print_document(result, form)


def _print_to_decide(found: Plan, form: str) -> None:
    """Show the plan where it does not get into the way of a result for machines."""
    if form == "table":
        _print(Report(found), form)
        return
    for line in found.diff():
        print(line, file=sys.stderr)


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
