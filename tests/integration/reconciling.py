"""Four numbers, routes for them, and a way to reconcile."""

from __future__ import annotations

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator

PROVIDER = "d51449dd-cc9d-55e6-914e-8a6f102e0c3f"
OUT = "replaceOutbound"


def phone(i: int) -> str:
    return f"+1555010{i:04d}"


def route(i: int | str, agent: str, mode: str | None = None) -> dict[str, str]:
    return {
        "number": phone(i) if isinstance(i, int) else i,
        "agent_id": agent,
        **({"mode": mode} if mode else {}),
    }


@pytest.fixture
def dasha_ids(sandbox):
    """Four numbers: 1 answers for AGENT, 2 for OTHER_AGENT, 3 is OTHER_AGENT's caller ID, 4 is free."""
    add = sandbox.world.dasha.add_number
    found = {
        1: add(phone(1), CREDENTIALS, inbound=AGENT),
        2: add(phone(2), CREDENTIALS, inbound=OTHER_AGENT, provider_id=PROVIDER),
        3: add(phone(3), CREDENTIALS, outbound=[OTHER_AGENT], provider_id=PROVIDER),
        4: add(phone(4), CREDENTIALS),
    }
    sandbox.journal.clear()
    return found


@pytest.fixture
def reconcile(sandbox, connections):
    def run(routes, *, operator=DashaReconcileLinksOperator, run_options=None, **arguments):
        task = operator(task_id="reconcile", routes=routes, retries=2, **arguments)
        return run_task(task, connections=connections, **(run_options or {}))

    return run


def links(sandbox, ids):
    found = sandbox.world.dasha.links()
    return {i: (found[id_][0], sorted(found[id_][1])) for i, id_ in ids.items()}


BEFORE = {1: (AGENT, []), 2: (OTHER_AGENT, []), 3: (None, [OTHER_AGENT]), 4: (None, [])}
WISHED = [route(1, OTHER_AGENT), route(2, OTHER_AGENT), route(4, AGENT), route(4, OTHER_AGENT, OUT)]
AFTER = {1: (OTHER_AGENT, []), 2: (OTHER_AGENT, []), 3: (None, []), 4: (AGENT, [OTHER_AGENT])}
