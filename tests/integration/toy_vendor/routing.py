"""How Toyphone's links are read and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.toy_vendor import endpoints

from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import INBOUND, Link, LinkRules, ListedNumber
from airflow_provider_phonelink.promises import applying
from airflow_provider_phonelink.promises.outcomes import Changed
from airflow_provider_phonelink.promises.routing import Routing, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.decisions.planning import Change, Plan
    from airflow_provider_phonelink.decisions.routes import Route
    from airflow_provider_phonelink.decisions.scope import Scope
    from airflow_provider_phonelink.promises.journal import Journal
    from airflow_provider_phonelink.promises.reports import ChangeResult, Report

RULES = LinkRules(
    outbound="dialout",
    one_outbound_number=True,
    default_mode=INBOUND,
    uuids=False,
    scope_keys=("pool", "modes"),
)


def survey(_: Sequence[Route], __: Scope | None) -> Flow[Survey]:
    """Read all lines, which show all links."""
    lines = yield from endpoints.lines()
    return Survey(
        directory=Directory(ListedNumber(line.line, line.dial) for line in lines),
        links=[
            *(Link(line.line, line.answers, INBOUND) for line in lines if line.answers),
            *(Link(line.line, line.dials_out, RULES.outbound) for line in lines if line.dials_out),
        ],
    )


def apply_plan(
    plan: Plan, on_result: Callable[[ChangeResult], None] = lambda _: None, journal: Journal | None = None
) -> Flow[Report]:
    """Make the changes of a plan."""
    return applying.apply_plan(plan, _carry_out, on_result, journal=journal)


def _carry_out(change: Change) -> Flow[Changed[endpoints.Line]]:
    agent = None if change.action == "unlink" else change.link.agent_id
    side = "answers" if change.link.mode == INBOUND else "dials_out"
    line = yield from endpoints.set_agent(change.link.number_id, side, agent)
    return Changed(
        summary=f"Line {line.line}: {side} is {agent}.",
        subject=line,
        changed=True,
        previous_agent_id=change.previous_agent_id,
    )


ROUTING = Routing(rules=RULES, survey=survey, apply=apply_plan)
