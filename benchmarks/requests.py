"""How many requests a rotation, a plan, an export and the doctor take."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox import Sandbox
    from benchmarks.measure import Bench

AGENT = "agent-campaign"
#: Whether the vendor lets the key read the outbound links of all numbers of one SIP credential at once.
ALLOWED, REFUSED = 200, 403
#: Each piece of work with how many numbers there are, under how many credentials, and the most requests it may take.
WORK = {
    "rotate": ("rotate over a pool of 200 numbers under 3 credentials", 200, 3, 8),
    "plan": ("plan 600 outbound routes under 5 credentials", 600, 5, 8),
    "export": ("export the routes of 1,000 numbers under 5 credentials", 1000, 5, 10),
    "doctor": ("`phonelink doctor`, 1,000 numbers under 5 credentials", 1000, 5, 20),
}
HOW = """
Counted by the [sandbox](sandbox.md), which has real state: a rotation by its operator, to the end; a plan by the
reconcile operator with `dry_run=True`; an export and the doctor as their commands make them. Every number has an agent
that calls out with it. In brackets: the same where the vendor refuses (403) to show the outbound links of all numbers
of one credential at once, so that they are read number by number. Tests hold the same targets."""


def run(bench: Bench) -> list[Row]:
    """Count them."""
    counts = bench.call("requests:count")
    return [
        Row(
            f"requests: {title}",
            f"{counts[name][0]} ({counts[name][1]:,})",
            target=f"<= {most}",
            met=counts[name][0] <= most,
        )
        for name, (title, _, _, most) in WORK.items()
    ]


def count() -> dict[str, list[int]]:
    """Return how many requests each piece of work takes: with reads by credentials, and without."""
    from airflow_provider_phonelink.sandbox import Sandbox

    with Sandbox() as sandbox:
        for id_, connection in sandbox.connections.items():
            os.environ[f"AIRFLOW_CONN_{id_.upper()}"] = json.dumps(connection)
        return {
            name: [_requests_of(name, sandbox, numbers, trunks, status) for status in (ALLOWED, REFUSED)]
            for name, (_, numbers, trunks, _) in WORK.items()
        }


def _requests_of(name: str, sandbox: Sandbox, numbers: int, trunks: int, status: int) -> int:
    sandbox.reset()
    sandbox.set(dasha_credentials_agents_status=status)
    dasha = sandbox.world.dasha
    credentials = [dasha.trunks.add_credentials() for _ in range(trunks)]
    ids = [
        dasha.add_number(
            f"+1555{n:07}", credentials[n % trunks], outbound=[f"agent-{n}"], steps=[(0, "Registered")]
        )
        for n in range(numbers)
    ]
    dasha.link(ids[0], AGENT, "replaceOutbound")
    sandbox.journal.clear()
    work: dict[str, Callable[[list[str]], Any]] = {
        "rotate": _rotate,
        "plan": _plan,
        "export": _export,
        "doctor": _examine,
    }
    work[name](ids)
    return sandbox.journal.total


def _rotate(ids: list[str]) -> None:
    from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator

    done = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, pool=ids).execute({})
    if not done["changed"]:
        raise AssertionError(done)


def _plan(ids: list[str]) -> None:
    from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator

    routes = [
        {"number": id_, "agent_id": f"agent-{n}", "mode": "replaceOutbound"} for n, id_ in enumerate(ids)
    ]
    found = DashaReconcileLinksOperator(task_id="plan", routes=routes, dry_run=True).execute({})
    if found["changes"] or found["unchanged"] != len(ids):
        raise AssertionError(found["changes"][:3])


def _export(ids: list[str]) -> None:
    from airflow_provider_phonelink.hooks.dasha import DashaHook
    from airflow_provider_phonelink.promises.dasha.routing import ROUTING

    routes, _ = DashaHook().run(ROUTING.export())
    if len(routes) <= len(ids):
        raise AssertionError(f"{len(routes)} routes")


def _examine(ids: list[str]) -> None:
    from airflow_provider_phonelink.cli.doctor import examine
    from airflow_provider_phonelink.hooks.dasha import DashaHook

    found, _ = examine(DashaHook())
    if not any(f"{len(ids):,} numbers" in finding.seen for finding in found):
        raise AssertionError([finding.seen for finding in found])
