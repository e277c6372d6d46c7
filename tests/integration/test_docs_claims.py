"""What the pages say a task costs and returns, measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_harness.tasks import run_task, run_trigger
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxExportRoutesOperator,
    CallingBoxReconcileLinksOperator,
    CallingBoxRotatePrimaryNumberOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaDeletePhoneNumberOperator,
    DashaExportRoutesOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger, DashaRegistrationTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox import Sandbox

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = "+15550100"
OUTBOUND = "replaceOutbound"

#: Prepares a world and returns the task.
Scene = "Callable[[Sandbox], Any]"


def number(sandbox: Sandbox, phone_number: str = NUMBER, **state: Any) -> str:
    return sandbox.world.dasha.add_number(phone_number, CREDENTIALS, steps=seeds.REGISTERED, **state)


def numbers(sandbox: Sandbox, count: int, **state: Any) -> list[str]:
    return [number(sandbox, f"{NUMBER}{i}", **state) for i in range(count)]


def create(sandbox: Sandbox, *, there: bool = True, **arguments: Any) -> Any:
    if there:
        number(sandbox)
    return DashaCreatePhoneNumberOperator(
        task_id="t", phone_number=NUMBER, credentials_id=CREDENTIALS, **arguments
    )


def listing(sandbox: Sandbox, count: int) -> Any:
    numbers(sandbox, count)
    return DashaListPhoneNumbersOperator(task_id="t")


def link(sandbox: Sandbox, mode: Any = "inbound", **state: Any) -> Any:
    return DashaLinkPhoneNumberOperator(
        task_id="t", phone_number_id=number(sandbox, **state), agent_id=AGENT, mode=mode
    )


def unlink(sandbox: Sandbox, mode: Any = "inbound", **state: Any) -> Any:
    return DashaUnlinkPhoneNumberOperator(
        task_id="t", phone_number_id=number(sandbox, **state), agent_id=AGENT, mode=mode
    )


def rotate(sandbox: Sandbox, *, pool_size: int = 3, sick: int = 0) -> Any:
    pool = numbers(sandbox, pool_size)
    for number_id in pool[:sick]:
        sandbox.world.dasha.script(number_id, [{"after": 0, "state": "Failed"}])
    sandbox.world.dasha.link(pool[-1], AGENT, OUTBOUND)
    return DashaRotatePhoneNumberOperator(task_id="t", agent_id=AGENT, pool=pool)


def reconcile(sandbox: Sandbox, *, outbound: int = 0, missing: int = 0) -> Any:
    linked = numbers(sandbox, 3 - missing, inbound=AGENT)
    wished = [{"number": id_, "agent_id": AGENT} for id_ in linked]
    for i in range(missing):
        id_ = number(sandbox, f"{NUMBER}9{i}", inbound=OTHER_AGENT)
        wished.append({"number": id_, "agent_id": AGENT})
    for i in range(outbound):
        id_ = number(sandbox, f"{NUMBER}8{i}", outbound=[f"agent-{i}"])
        wished.append({"number": id_, "agent_id": f"agent-{i}", "mode": OUTBOUND})
    return DashaReconcileLinksOperator(task_id="t", routes=wished)


def box(sandbox: Sandbox, *, holder: str | None = None, others: int = 0) -> None:
    world = sandbox.world.callingbox
    for agent in (AGENT, OTHER_AGENT):
        world.add_agent("inbound", id=agent)
        for i in range(others):
            world.add_number(f"{NUMBER}{i}", id=f"pn_{agent}_{i}", agents=[agent])
    world.add_number(NUMBER, id="pn_1", agents=[holder] if holder else [])


def attach(sandbox: Sandbox, **state: Any) -> Any:
    box(sandbox, others=1, **state)
    return CallingBoxAttachNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_1", if_attached="move")


def detach(sandbox: Sandbox, **state: Any) -> Any:
    box(sandbox, others=1, **state)
    return CallingBoxDetachNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_1")


def box_rotate(sandbox: Sandbox, *, numbers: int = 3) -> Any:
    box = sandbox.world.callingbox
    box.add_agent("outbound", id=AGENT)
    for i in range(numbers):
        box.add_number(f"+1555020{i}", id=f"pn_{i}", agents=[AGENT])
    box.set_primary(AGENT, "pn_0")
    return CallingBoxRotatePrimaryNumberOperator(task_id="t", agent_id=AGENT)


def box_reconcile(sandbox: Sandbox, **state: Any) -> Any:
    box(sandbox, others=1, **state)
    return CallingBoxReconcileLinksOperator(task_id="t", routes=[{"number": "pn_1", "agent_id": AGENT}])


def wait(sandbox: Sandbox, count: int) -> Any:
    return DashaRegistrationSensor(task_id="t", phone_number_ids=numbers(sandbox, count))


def export(sandbox: Sandbox, count: int) -> Any:
    numbers(sandbox, count, inbound=AGENT, outbound=[AGENT])
    return DashaExportRoutesOperator(task_id="t", agents=AGENT)


def box_export(sandbox: Sandbox) -> Any:
    box(sandbox, others=1, holder=AGENT)
    return CallingBoxExportRoutesOperator(task_id="t")


def delete(sandbox: Sandbox) -> Any:
    return DashaDeletePhoneNumberOperator(task_id="t", phone_number_ids=number(sandbox))


def primary(sandbox: Sandbox, *, already: bool = False) -> Any:
    box(sandbox, others=1, holder=AGENT)
    if already:
        sandbox.world.callingbox.set_primary(AGENT, "pn_1")
    return CallingBoxSetPrimaryNumberOperator(task_id="t", agent_id=AGENT, number_id="pn_1")


#: By page and the words of its table.
COSTS: dict[tuple[str, str], Callable[[Sandbox], Any]] = {
    ("operators/create", "the number exists"): create,
    ("operators/create", "it is created"): lambda s: create(s, there=False),
    ("operators/create", "it exists and gets another description (`update`)"): lambda s: create(
        s, description="new", if_exists="update"
    ),
    ("operators/list", "fewer than 1,000 numbers match"): lambda s: listing(s, 999),
    ("operators/list", "2,500 numbers match"): lambda s: listing(s, 2500),
    ("operators/link", "`inbound`, and the link exists"): lambda s: link(s, inbound=AGENT),
    ("operators/link", "`inbound`, and the link is made"): lambda s: link(s, inbound=OTHER_AGENT),
    ("operators/link", "`replaceOutbound`, and the link exists"): lambda s: link(
        s, OUTBOUND, outbound=[AGENT]
    ),
    ("operators/link", "`replaceOutbound`, and the link is made"): lambda s: link(s, OUTBOUND),
    ("operators/unlink", "`inbound`, and the agent does not have it"): lambda s: unlink(
        s, inbound=OTHER_AGENT
    ),
    ("operators/unlink", "`inbound`, and it is taken away"): lambda s: unlink(s, inbound=AGENT),
    ("operators/unlink", "`replaceOutbound`, and the agent does not have it"): lambda s: unlink(s, OUTBOUND),
    ("operators/unlink", "`replaceOutbound`, and it is taken away"): lambda s: unlink(
        s, OUTBOUND, outbound=[AGENT]
    ),
    ("operators/rotate", "three numbers given by id, and another one is next"): rotate,
    ("operators/rotate", "it is the agent's already, as when the same run is tried again"): lambda s: rotate(
        s, sick=2
    ),
    ("operators/dasha-reconcile", "three inbound routes are true"): reconcile,
    ("operators/dasha-reconcile", "three inbound and two outbound routes are true"): lambda s: reconcile(
        s, outbound=2
    ),
    ("operators/dasha-reconcile", "one of three inbound routes is not true"): lambda s: reconcile(
        s, missing=1
    ),
    ("operators/export", "50 numbers of one SIP credential at Dasha"): lambda s: export(s, 50),
    ("operators/export", "fewer than 100 numbers at CallingBox"): lambda s: box_export(s),
    ("operators/delete", "a number that nobody uses"): delete,
    ("operators/primary", "it is primary already"): lambda s: primary(s, already=True),
    ("operators/primary", "another one is, or none"): primary,
    ("operators/attach", "the agent has it already"): lambda s: attach(s, holder=AGENT),
    ("operators/attach", "nobody had it"): attach,
    ("operators/attach", "it is moved from another agent"): lambda s: attach(s, holder=OTHER_AGENT),
    ("operators/detach", "the agent does not have it"): detach,
    ("operators/callingbox-rotate", "another number is next"): box_rotate,
    ("operators/callingbox-rotate", "it is the primary one already"): lambda s: box_rotate(s, numbers=1),
    ("operators/detach", "it is detached, and was not the primary number"): lambda s: detach(s, holder=AGENT),
    ("operators/callingbox-reconcile", "all routes are true"): lambda s: box_reconcile(s, holder=AGENT),
    ("operators/callingbox-reconcile", "one number is to be attached"): box_reconcile,
    ("sensors/registration", "a look at one number"): lambda s: wait(s, 1),
    ("sensors/registration", "a look at three numbers of an organisation with fewer than 1,000"): lambda s: (
        wait(s, 3)
    ),
}

#: The result that a page shows, as JSON.
RESULTS: dict[str, Callable[[Sandbox], Any]] = {
    "operators/create": create,
    "operators/list": lambda s: listing(s, 1),
    "operators/link": link,
    "operators/unlink": unlink,
    "operators/rotate": lambda s: rotate(s, sick=1),
    "operators/dasha-reconcile": lambda s: reconcile(s, missing=1),
    "operators/export": lambda s: export(s, 1),
    "operators/attach": attach,
    "operators/detach": lambda s: detach(s, holder=AGENT),
    "sensors/registration": lambda s: wait(s, 1),
}


def costs_told() -> dict[tuple[str, str], tuple[int, int]]:
    told = {}
    for page in DOCS.glob("*/*.md"):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        for row in re.finditer(r"^\| (.+) \| (\d+) \| (\d+) \|$", page.read_text(encoding="utf-8"), re.M):
            told[name, row[1]] = (int(row[2]), int(row[3]))
    return told


def test_every_cost_that_is_told_is_measured() -> None:
    assert costs_told().keys() == COSTS.keys()


@pytest.mark.parametrize(("page", "when"), COSTS, ids=str)
def test_a_task_costs_what_its_page_says(
    page: str, when: str, sandbox: Sandbox, connections: dict[str, Any]
) -> None:
    task = COSTS[page, when](sandbox)
    sandbox.journal.clear()
    outcome = run_task(task, connections=connections)
    assert outcome.state == "success", outcome.log
    reads = sum(entry.method == "GET" for entry in sandbox.journal)
    assert (reads, len(sandbox.journal) - reads) == costs_told()[page, when]


@pytest.mark.parametrize("page", RESULTS)
def test_a_task_returns_what_its_page_shows(page: str, sandbox: Sandbox, connections: dict[str, Any]) -> None:
    outcome = run_task(RESULTS[page](sandbox), connections=connections)
    assert outcome.state == "success", outcome.log
    assert shape(outcome.value) == shape(shown(page))


def test_the_trigger_yields_what_its_page_shows(sandbox: Sandbox, connections: dict[str, Any]) -> None:
    trigger = DashaRegistrationTrigger(
        phone_number_ids=numbers(sandbox, 1), dasha_conn_id="dasha_default", deadline=9e9, poll_interval=0.1
    )
    [event] = run_trigger(trigger, connections=connections)
    told = shown("triggers/registration")
    assert shape(event) == shape(told)
    assert event["message"] == told["message"]


def test_the_event_trigger_yields_what_its_page_shows(sandbox: Sandbox, connections: dict[str, Any]) -> None:
    steps = [{"after": 0, "state": "Registered"}, {"after": 1, "state": "Failed"}]
    lost = sandbox.world.dasha.add_number(NUMBER, CREDENTIALS, steps=steps)
    trigger = DashaRegistrationEventTrigger(phone_number_ids=[lost], poll_interval=0.1)
    [event] = run_trigger(trigger, connections=connections, max_events=1)
    told = shown("triggers/registration-events")
    assert shape(event) == shape(told)
    assert event["transition"] == told["transition"]
    assert event["message"].partition(": ")[2].startswith("Failed, ")


def test_an_asset_event_says_what_its_page_shows(sandbox: Sandbox, connections: dict[str, Any]) -> None:
    outcome = run_task(rotate(sandbox, sick=1), connections=connections)
    told = shown("events")
    for event in outcome.asset_events:
        assert shape(event["extra"]) == shape(told)
    uris = [uri for event in outcome.asset_events for uri in re.findall(r"phonelink://[^'\"]+", str(event))]
    assert f"phonelink://dasha/agents/{AGENT}/outbound" in uris


def shown(page: str) -> Any:
    """Return the first result that a page shows."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return json.loads(re.findall(r"```json\n(.*?)```", text, re.S)[0])


def shape(value: Any) -> Any:
    """Return which keys there are, in order, leaving aside ids and what is empty by chance."""
    if isinstance(value, dict):
        return {re.sub(r"[0-9a-f-]{36}", "<id>", key): shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value and page_shows_items(value) else "list"
    return "value"


def page_shows_items(items: list[Any]) -> bool:
    """Return whether a list is of what a page is about, rather than an agent's numbers."""
    return isinstance(items[0], dict) and "e164" not in items[0]
