"""
The operations that write several times, or that Airflow has to remember something for, as data.

They are made of the same reads and writes as the others. What is to be seen is what becomes of the steps that were
made when a later one fails, so they meet one fault of each sort, at each step.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG
from integration.operations import MAY_LAG, NUMBERS, Operation, Request
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT, THIRD_AGENT

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxReconcileLinksOperator,
    CallingBoxRotatePrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaDeletePhoneNumberOperator,
    DashaOnboardPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import seeds

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox

CALLER = "agent-campaign"
#: A day on which it is the second number's turn, of three.
ITS_DAY = datetime(2026, 3, 4, tzinfo=timezone.utc)

#: Whether a number has arrived or left is looked up elsewhere, too, where the proof is refused.
SEEN_ELSEWHERE = {"final": "success"}
#: What one read of many does not show is read again by itself; only a refused key is everybody's.
ASKED_AGAIN = {"final": "success", "status 401": "failed"}
GONE = {"status 404": "success"}
#: Where numbers cannot be read by their credentials, each is read by itself.
READ_SINGLY = dict.fromkeys(("status 403", "status 404", "status 422", "html 200"), "success")
#: What cannot be confirmed is put back, and the next try looks anew.
PUT_BACK = {"final": "up_for_retry"}

# Rotate: the caller has the first number of the pool, and it is the second one's turn.


def _pool(sandbox: Sandbox) -> tuple[str, ...]:
    add = sandbox.world.dasha.add_number
    return tuple(
        add(f"+1555013{i}", CREDENTIALS, steps=seeds.REGISTERED, outbound=[CALLER] * (i == 0))
        for i in range(3)
    )


def _rotation(*pool: str) -> DashaRotatePhoneNumberOperator:
    with DAG("rotation", schedule="@daily", start_date=ITS_DAY, catchup=False):
        return DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=CALLER, pool=list(pool))


def _attached_to_the_caller(sandbox: Sandbox) -> tuple[str, ...]:
    box = sandbox.world.callingbox
    box.add_agent("outbound", id=CALLER)
    pool = tuple(box.add_number(f"+1555014{i}", id=f"pn_{i}", agents=[CALLER]) for i in range(3))
    box.set_primary(CALLER, pool[0])
    return pool


def _box_rotation(*pool: str) -> CallingBoxRotatePrimaryNumberOperator:
    return CallingBoxRotatePrimaryNumberOperator(task_id="rotate", agent_id=CALLER, pool=list(pool))


def _primary(sandbox: Sandbox) -> str | None:
    return sandbox.world.callingbox.agents[CALLER].primary_number


def _calls_with(sandbox: Sandbox, agent: str) -> str | None:
    return sandbox.world.dasha.outbound.number_of.get(agent)


# Onboard: the number is there and registered, and another agent answers it.


def _waiting_for_its_agent(sandbox: Sandbox) -> tuple[str, ...]:
    add = sandbox.world.dasha.add_number
    return (add("+15550131", CREDENTIALS, steps=seeds.REGISTERED, registration=True, inbound=THIRD_AGENT),)


def _onboard(*_: str) -> DashaOnboardPhoneNumbersOperator:
    number = {"phone_number": "+15550131", "inbound_agent_id": AGENT}
    return DashaOnboardPhoneNumbersOperator(task_id="onboard", numbers=[number], credentials_id=CREDENTIALS)


# Reconcile, Dasha: the first number moves, the second becomes the caller's instead of the third, the fourth is pruned.


def _routed(sandbox: Sandbox) -> tuple[str, ...]:
    add = sandbox.world.dasha.add_number
    links: list[dict[str, Any]] = [
        {"inbound": THIRD_AGENT},
        {},
        {"outbound": [CALLER]},
        {"inbound": THIRD_AGENT},
    ]
    return tuple(add(f"+1555014{i}", CREDENTIALS, **link) for i, link in enumerate(links))


def _reconcile(moved: str, linked: str, *_: str) -> DashaReconcileLinksOperator:
    return DashaReconcileLinksOperator(
        task_id="reconcile",
        routes=[
            {"number": moved, "agent_id": AGENT},
            {"number": linked, "agent_id": CALLER, "mode": "replaceOutbound"},
        ],
        prune=True,
        scope={"agents": [THIRD_AGENT], "modes": ["inbound"]},
    )


def _reconciled(sandbox: Sandbox, *numbers: str) -> bool:
    links = sandbox.world.dasha.links()
    wished = [(AGENT, []), (None, [CALLER]), (None, []), (None, [])]
    return [links[number] for number in numbers] == wished


def _still_served(sandbox: Sandbox, moved: str, *_: str) -> bool:
    answered = sandbox.world.dasha.links()[moved][0] in (AGENT, THIRD_AGENT)
    return answered and _calls_with(sandbox, CALLER) is not None


# Move, CallingBox: the first number, which is primary, goes from one agent to the other, and the second one stays.


def _owned(sandbox: Sandbox, **further: list[str]) -> tuple[str, ...]:
    box = sandbox.world.callingbox
    box.add_agent("inbound", id=THIRD_AGENT)
    numbers = {"pn_moved": [THIRD_AGENT, OTHER_AGENT], "pn_kept": [THIRD_AGENT], **further}
    for i, (number, agents) in enumerate(numbers.items()):
        box.add_number(f"+1555023{i}", id=number, agents=agents)
    for agent, number in ((THIRD_AGENT, "pn_moved"), (AGENT, "pn_bystander"), (OTHER_AGENT, "pn_bystander")):
        box.set_primary(agent, number)
    return tuple(numbers)


def _move(moved: str, *_: str) -> CallingBoxAttachNumberOperator:
    return CallingBoxAttachNumberOperator(task_id="move", agent_id=AGENT, number_id=moved, if_attached="move")


def _moved(sandbox: Sandbox, moved: str, *_: str) -> bool:
    box = sandbox.world.callingbox
    return box.links()[moved] == (AGENT, [OTHER_AGENT]) and _primaries(sandbox) == (
        "pn_bystander",
        "pn_bystander",
        "pn_kept",
    )


def _primaries(sandbox: Sandbox) -> tuple[str | None, ...]:
    agents = sandbox.world.callingbox.agents
    return tuple(agents[agent].primary_number for agent in (AGENT, OTHER_AGENT, THIRD_AGENT))


def _still_attached(sandbox: Sandbox, moved: str, kept: str, *_: str) -> bool:
    links = sandbox.world.callingbox.links()
    return links[moved][0] in (AGENT, THIRD_AGENT) and links[kept][0] == THIRD_AGENT


# Reconcile, CallingBox: the same move, the third number is attached to an outbound agent, and the fourth is pruned.


def _reconcile_box(moved: str, kept: str, linked: str, _: str) -> CallingBoxReconcileLinksOperator:
    wished = {moved: AGENT, kept: THIRD_AGENT, linked: OTHER_AGENT}
    return CallingBoxReconcileLinksOperator(
        task_id="reconcile",
        routes=[{"number": number, "agent_id": agent} for number, agent in wished.items()],
        prune=True,
        scope={"agents": [THIRD_AGENT]},
    )


def _reconciled_box(sandbox: Sandbox, moved: str, kept: str, linked: str, pruned: str) -> bool:
    links = sandbox.world.callingbox.links()
    return (
        _moved(sandbox, moved)
        and links[kept] == (THIRD_AGENT, [])
        and (links[linked], links[pruned]) == ((None, [OTHER_AGENT]), (None, []))
    )


NEW, OLD, OUT = (f"agents/{agent}" for agent in (AGENT, THIRD_AGENT, OTHER_AGENT))
LIST = "v1/numbers$"

LONGER = (
    Operation(
        "rotate",
        "dasha",
        prepare=_pool,
        operator=_rotation,
        kept=lambda sandbox, *pool: _calls_with(sandbox, CALLER) == pool[1],
        always=lambda sandbox, *pool: _calls_with(sandbox, CALLER) in pool,
        run_options={"logical_date": ITS_DAY},
        requests=(
            Request("look at the pool", "GET", NUMBERS),
            Request("look at the pool, next page", "GET", NUMBERS, nth=2, like="look at the pool"),
            Request("look at the pool, last page", "GET", NUMBERS, nth=3, like="look at the pool"),
            Request(
                "look at the outbound links", "GET", "sip-credentials/*/affected-agents$", ends=READ_SINGLY
            ),
            Request("write", "PUT", "agent-link$", looked_for=False),
            # The link, and its being put back.
            Request("proof", "GET", "/{1}/affected-agents$", ends=PUT_BACK, undone=2),
        ),
    ),
    Operation(
        "onboard",
        "dasha",
        prepare=_waiting_for_its_agent,
        operator=_onboard,
        kept=lambda sandbox, number: sandbox.world.dasha.links()[number][0] == AGENT,
        requests=(
            Request("look", "GET", NUMBERS),
            Request("look, last page", "GET", NUMBERS, nth=2, like="look"),
            # A number that is gone tells so when it is written to.
            Request("look before the write", "GET", "/{0}$", ends={"status 404": "success"}),
            Request("write", "PUT", "/{0}/agent-link$"),
            Request("proof", "GET", "/{0}$", nth=2, ends=ASKED_AGAIN),
        ),
    ),
    Operation(
        "delete",
        "dasha",
        prepare=lambda sandbox: (sandbox.world.dasha.add_number("+15550132", CREDENTIALS),),
        operator=lambda number: DashaDeletePhoneNumberOperator(task_id="delete", phone_number_ids=number),
        kept=lambda sandbox, number: number not in sandbox.world.dasha.numbers,
        requests=(
            # It is looked for again; who uses it, the vendor knows anyway; and that it is gone is wanted.
            Request("look", "GET", "/{0}$", ends=GONE),
            Request("look for its users", "GET", "/{0}/affected-agents$", ends=GONE),
            Request("write", "DELETE", "/{0}$"),
            Request("proof", "GET", "/{0}$", nth=2, ends=GONE),
        ),
    ),
    Operation(
        "reconcile Dasha",
        "dasha",
        prepare=_routed,
        operator=_reconcile,
        kept=_reconciled,
        always=_still_served,
        requests=(
            Request("look at all numbers", "GET", NUMBERS),
            Request("look at all numbers, next page", "GET", NUMBERS, nth=2, like="look at all numbers"),
            Request("look at all numbers, third page", "GET", NUMBERS, nth=3, like="look at all numbers"),
            Request("look at all numbers, last page", "GET", NUMBERS, nth=4, like="look at all numbers"),
            Request("look at the outbound links", "GET", "/{1}/affected-agents$", ends=MAY_LAG),
            # What the caller calls out with today, among all numbers, so that a later try can give it back.
            Request("look by credentials", "GET", "sip-credentials/*/affected-agents$", ends=READ_SINGLY),
            # One that is gone calls out for nobody.
            Request(
                "look at another number",
                "GET",
                "sip-phone-numbers/*/affected-agents$",
                nth=2,
                ends={"status 404": "success"},
            ),
            Request("look before the link", "GET", "/{1}/affected-agents$", nth=2, ends=MAY_LAG),
            Request("write the link", "PUT", "/{1}/agent-link$", looked_for=False),
            Request("proof of the link", "GET", "/{1}/affected-agents$", nth=3),
            Request("look before the move", "GET", "/{0}$", ends=MAY_LAG),
            Request("write the move", "PUT", "/{0}/agent-link$"),
            Request("proof of the move", "GET", "/{0}$", nth=2),
            Request("look before the removal", "GET", "/{3}$", ends=MAY_LAG),
            Request("write the removal", "DELETE", "/{3}/agent-link$"),
            Request("proof of the removal", "GET", "/{3}$", nth=2),
        ),
    ),
    Operation(
        "rotate CallingBox",
        "callingbox",
        prepare=_attached_to_the_caller,
        operator=_box_rotation,
        kept=lambda sandbox, *pool: _primary(sandbox) == pool[1],
        always=lambda sandbox, *pool: _primary(sandbox) in pool,
        requests=(
            Request("look at the agent", "GET", f"agents/{CALLER}$"),
            Request("write", "PUT", "primary-number$", looked_for=False),
            Request("proof", "GET", f"agents/{CALLER}$", nth=2, ends=PUT_BACK, undone=2),
        ),
    ),
    Operation(
        "move",
        "callingbox",
        prepare=_owned,
        operator=_move,
        kept=_moved,
        left=_still_attached,
        requests=(
            Request("look at the agent", "GET", f"{NEW}$"),
            Request("look at the number", "GET", LIST),
            Request("look at the agent before", "GET", f"{OLD}$"),
            Request("write the detachment", "DELETE", OLD),
            Request("proof of the detachment", "GET", f"{OLD}$", nth=2, ends=SEEN_ELSEWHERE),
            # The detachment, the attachment to the agent before, and its primary number.
            Request("write the attachment", "POST", NEW, undone=3),
            Request("proof of the attachment", "GET", f"{NEW}$", nth=2, ends=SEEN_ELSEWHERE),
            Request("look for the primary number", "GET", f"{OLD}$", nth=3),
            Request("write the primary number", "PUT", OLD, looked_for=False),
            Request("proof of the primary number", "GET", f"{OLD}$", nth=4),
        ),
    ),
    Operation(
        "reconcile CallingBox",
        "callingbox",
        prepare=lambda sandbox: _owned(sandbox, pn_linked=[], pn_pruned=[THIRD_AGENT]),
        operator=_reconcile_box,
        kept=_reconciled_box,
        left=_still_attached,
        requests=(
            Request("look at all numbers", "GET", LIST),
            Request("look at all numbers, last page", "GET", LIST, nth=2, like="look at all numbers"),
            Request("look at all agents", "GET", "v1/agents$"),
            Request("look before the link", "GET", f"{OUT}$"),
            Request("look for who has it", "GET", LIST, nth=3),
            Request("write the link", "POST", OUT),
            Request("proof of the link", "GET", f"{OUT}$", nth=2),
            Request("look before the move", "GET", f"{NEW}$"),
            Request("look for who has that", "GET", LIST, nth=4, like="look for who has it"),
            Request("look at the agent before", "GET", f"{OLD}$"),
            Request("write the detachment", "DELETE", "pn_moved$"),
            Request("proof of the detachment", "GET", f"{OLD}$", nth=2, ends=SEEN_ELSEWHERE),
            # The detachment, the attachment to the agent before, and its primary number.
            Request("write the attachment", "POST", NEW, undone=3),
            Request("proof of the attachment", "GET", f"{NEW}$", nth=2, ends=SEEN_ELSEWHERE),
            Request("look for the primary number", "GET", f"{OLD}$", nth=3),
            Request("write the primary number", "PUT", OLD, looked_for=False),
            Request("proof of the primary number", "GET", f"{OLD}$", nth=4),
            Request("look before the removal", "GET", f"{OLD}$", nth=5),
            Request("write the removal", "DELETE", "pn_pruned$"),
            Request("proof of the removal", "GET", f"{OLD}$", nth=6),
        ),
    ),
)
