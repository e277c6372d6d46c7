"""Move: a number goes from one inbound agent to another, and each agent's primary number is kept right."""

from __future__ import annotations

import re
from itertools import product

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, OTHER_AGENT, THIRD_AGENT, state_of, writes

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault, Switches

MOVED = "pn_moved"
ATTACH, DETACH, PRIMARY = "POST numbers", f"DELETE {MOVED}", "PUT primary-number"
SWITCHES = [
    {},
    *({name: value} for name, value in Switches.alternatives() if name.startswith(("callingbox", "write_"))),
]
SPARSE = {"callingbox_sparse": True}


def move(agent_id: str = AGENT, **arguments) -> CallingBoxAttachNumberOperator:
    return CallingBoxAttachNumberOperator(
        task_id="move", agent_id=agent_id, number_id=MOVED, if_attached="move", **arguments
    )


def detach(**arguments) -> CallingBoxDetachNumberOperator:
    return CallingBoxDetachNumberOperator(
        task_id="detach", agent_id=OTHER_AGENT, number_id=MOVED, **arguments
    )


@pytest.fixture
def world(sandbox, connections):
    """Both agents have a number beside the one that moves, which is the old one's primary."""
    box = sandbox.world.callingbox
    for agent in (AGENT, OTHER_AGENT, THIRD_AGENT):
        box.add_agent("inbound", id=agent)
    box.add_agent("outbound", id="agent-outbound")
    box.add_number("+15550201", id=MOVED, agents=[OTHER_AGENT, "agent-outbound"])
    box.add_number("+15550202", id="pn_second", agents=[OTHER_AGENT])
    box.add_number("+15550203", id="pn_third", agents=[OTHER_AGENT])
    box.add_number("+15550204", id="pn_own", agents=[AGENT])
    for agent, number in ((OTHER_AGENT, MOVED), (AGENT, "pn_own")):
        box.set_primary(agent, number)
    return box


def primaries(box) -> tuple[str | None, str | None]:
    return box.agents[OTHER_AGENT].primary_number, box.agents[AGENT].primary_number


class Tries:
    """One task instance, tried as often as needed, with what Airflow keeps between its tries."""

    def __init__(self, task, connections) -> None:
        self.task, self.connections = task, connections
        self.stored: dict = {}
        self.variables: dict[str, str] = {}
        self.number = 0

    def __call__(self, **options):
        self.number += 1
        return run_task(
            self.task,
            connections=self.connections,
            stored=self.stored,
            variables=self.variables,
            try_number=self.number,
            **options,
        )


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_moves_once_under_every_answer(sandbox, world, connections, switches):
    sandbox.set(**switches)
    if key := switches.get("callingbox_attach_body_key"):
        connections["callingbox_default"]["extra"]["attach_body_key"] = key
    before = state_of(sandbox)
    tries = Tries(move(), connections)
    first = tries()

    if switches == SPARSE:  # nothing tells who has the number, so nothing is touched
        assert first.state == "failed"
        assert (state_of(sandbox), writes(sandbox)) == (before, [])
        return
    assert first.state == "success", first.log
    assert world.links()[MOVED] == (AGENT, ["agent-outbound"])
    assert primaries(world) == ("pn_second", "pn_own")
    chosen_by_vendor = switches.get("callingbox_detached_primary") == "next"
    assert writes(sandbox) == [DETACH, ATTACH, *([] if chosen_by_vendor else [PRIMARY])]
    assert (first.value["changed"], first.value["previous_agent_id"]) == (True, OTHER_AGENT)
    assert re.search(r"Before, agent agent-sales had it; for \d\.\d s no inbound agent had", first.log)

    sandbox.journal.clear()
    second = tries()
    assert (second.state, second.value["changed"]) == ("success", False)
    assert not writes(sandbox)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda box: box.set_primary(OTHER_AGENT, "pn_third"), ("pn_third", "pn_own")),
        (
            lambda box: [box.detach(OTHER_AGENT, "pn_second"), box.detach(OTHER_AGENT, "pn_third")],
            (None, "pn_own"),
        ),
        (lambda box: box.detach(AGENT, "pn_own"), ("pn_second", MOVED)),
    ],
    ids=["another one is primary", "it was the only one", "the new agent has none"],
)
def test_primary_numbers(sandbox, world, connections, prepare, expected):
    prepare(world)
    outcome = run_task(move(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert primaries(world) == expected


def test_an_agent_without_a_primary_number_gets_none_from_us(sandbox, world, connections):
    sandbox.set(callingbox_first_number="plain")
    world.detach(AGENT, "pn_own")
    outcome = run_task(move(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert primaries(world) == ("pn_second", None)


def test_a_vendor_that_makes_every_new_number_primary(sandbox, world, connections):
    sandbox.faults.meanwhile(
        lambda world: world.callingbox.set_primary(AGENT, MOVED), method="POST", when="after"
    )
    sandbox.faults.add(Fault("edit", method="POST", remove=("primary_number_id",)))
    outcome = run_task(move(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert primaries(world) == ("pn_second", "pn_own")


@pytest.mark.parametrize("missing", ["primary_number_id", "numbers", "type", "name"])
def test_what_is_not_told_is_not_touched(sandbox, world, connections, missing):
    sandbox.faults.add(Fault("edit", vendor="callingbox", path="agents", remove=(missing,), count=None))
    outcome = run_task(move(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert world.links()[MOVED][0] == AGENT
    assert primaries(world) == ("pn_second" if missing in ("type", "name") else None, "pn_own")


def test_an_agent_of_a_type_that_is_not_told_may_not_take(sandbox, world, connections):
    sandbox.faults.add(Fault("edit", vendor="callingbox", path="agents", remove=("type",), count=None))
    task = CallingBoxAttachNumberOperator(task_id="attach", agent_id=AGENT, number_id=MOVED)
    outcome = run_task(task, connections=connections)

    assert "Nothing was changed" in str(outcome.error)
    assert not writes(sandbox)


def test_an_outbound_agent_shares_and_nobody_loses(sandbox, world, connections):
    world.detach("agent-outbound", MOVED)
    outcome = run_task(move("agent-outbound"), connections=connections)

    assert outcome.state == "success", outcome.log
    assert world.links()[MOVED] == (OTHER_AGENT, ["agent-outbound"])
    assert writes(sandbox) == [ATTACH]


REFUSED = Fault("status", method="POST", path=f"{AGENT}/numbers$", status=400, count=None)


@pytest.mark.parametrize(
    "fault",
    [
        REFUSED,
        Fault("status", method="POST", path=f"{AGENT}/numbers$", status=502, count=None),
        Fault("drop", method="POST", path=f"{AGENT}/numbers$", count=None),
        Fault("ignored", method="POST", path=f"{AGENT}/numbers$", count=None),
        Fault("ignored", method="POST", path=f"{AGENT}/numbers$", count=None, claim=True),
    ],
    ids=["refused", "failing", "lost", "ignored", "claimed"],
)
@pytest.mark.parametrize("after", ["null", "next"])
def test_the_old_agent_gets_its_number_back(sandbox, world, connections, fault, after):
    sandbox.set(callingbox_detached_primary=after)
    before = state_of(sandbox)
    armed = sandbox.faults.add(fault)
    tries = Tries(move(retries=3), connections)
    outcome = tries()

    assert outcome.state == ("failed" if fault is REFUSED else "up_for_retry"), outcome.log
    assert armed.fired
    assert state_of(sandbox) == before
    assert primaries(world) == (MOVED, "pn_own")
    assert "could not be attached to agent agent-support" in str(outcome.error)
    assert re.search(r"Now agent agent-sales has it\. For \d+\.\d s no inbound agent", str(outcome.error))
    assert writes(sandbox) == [DETACH, ATTACH, PRIMARY]

    sandbox.faults.clear()
    assert tries().state == "success"
    assert world.links()[MOVED][0] == AGENT
    assert primaries(world) == ("pn_second", "pn_own")


def test_giving_back_fails_too(sandbox, world, connections):
    armed = sandbox.faults.add(Fault("status", method="POST", status=400, count=None))
    tries = Tries(move(retries=3), connections)
    outcome = tries()

    assert outcome.state == "up_for_retry"
    assert "Giving it back failed, too" in str(outcome.error)
    assert "Now nobody has it" in str(outcome.error)

    sandbox.faults.remove(armed)
    again = tries()
    assert again.value["previous_agent_id"] == OTHER_AGENT
    assert world.links()[MOVED] == (AGENT, ["agent-outbound"])
    assert primaries(world) == ("pn_second", "pn_own")


def test_a_third_agent_was_faster(sandbox, world, connections):
    sandbox.faults.meanwhile(lambda world: world.callingbox.attach(THIRD_AGENT, MOVED), method="POST")
    outcome = run_task(move(retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "Now agent agent-night has it" in str(outcome.error)
    assert world.links()[MOVED][0] == THIRD_AGENT
    assert primaries(world) == ("pn_second", "pn_own")


@pytest.mark.parametrize("kind", ["refused", "failing", "ignored", "claimed", "lost"])
def test_the_old_agent_cannot_be_made_to_let_go(sandbox, world, connections, kind):
    fault = {
        "refused": Fault("status", method="DELETE", status=400),
        "failing": Fault("status", method="DELETE", status=502, count=None),
        "ignored": Fault("ignored", method="DELETE"),
        "claimed": Fault("ignored", method="DELETE", claim=True),
        "lost": Fault("drop", method="DELETE", count=None),
    }[kind]
    before = state_of(sandbox)
    sandbox.faults.add(fault)
    tries = Tries(move(retries=3), connections)
    outcome = tries()

    assert outcome.state == ("failed" if kind == "refused" else "up_for_retry")
    assert "could not be taken from agent agent-sales" in str(outcome.error)
    assert "Now agent agent-sales has it" in str(outcome.error)
    assert (state_of(sandbox), writes(sandbox)) == (before, [])
    assert primaries(world) == (MOVED, "pn_own")

    sandbox.faults.clear()
    assert tries().state == "success"
    assert (world.links()[MOVED][0], primaries(world)) == (AGENT, ("pn_second", "pn_own"))


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT"])
@pytest.mark.parametrize("kind", ["drop", "html", "cut"])
def test_an_answer_that_is_lost_each_time_is_found_out(sandbox, world, connections, method, kind):
    sandbox.faults.add(Fault(kind, method=method, when="after", count=None))
    outcome = run_task(move(), connections=connections)

    # Setting the primary number is the one write that cannot be seen to have happened, so it is an error.
    assert outcome.state == ("failed" if method == "PUT" else "success"), outcome.log
    assert world.links()[MOVED] == (AGENT, ["agent-outbound"])
    assert primaries(world) == ("pn_second", "pn_own")
    assert writes(sandbox) == [DETACH, ATTACH, PRIMARY]


@pytest.mark.parametrize("status", [400, 502])
@pytest.mark.parametrize("task", [move, detach])
def test_a_primary_number_that_cannot_be_put_right_is_made_up_for_by_the_next_try(
    sandbox, world, connections, task, status
):
    armed = sandbox.faults.add(Fault("status", method="PUT", status=status, count=None))
    tries = Tries(task(retries=3), connections)
    outcome = tries()

    assert outcome.state == ("up_for_retry" if status == 502 else "failed")
    assert "is where it should be, but the primary number of agent agent-sales" in str(outcome.error)
    assert primaries(world)[0] is None

    sandbox.faults.remove(armed)
    assert tries().state == "success"
    assert primaries(world) == ("pn_second", "pn_own")

    sandbox.journal.clear()
    world.set_primary(OTHER_AGENT, "pn_third")  # somebody's wish, later
    assert tries().state == "success"
    assert (writes(sandbox), primaries(world)[0]) == ([], "pn_third")


STEPS = [
    (method, nth, when)
    for (method, nth), when in product((("DELETE", 1), ("POST", 1), ("PUT", 1)), ("before", "after"))
]


@pytest.mark.parametrize("after", ["null", "next"])
@pytest.mark.parametrize(("method", "nth", "when"), STEPS, ids=str)
def test_a_try_that_dies_anywhere_is_completed_by_the_next(
    sandbox, world, connections, method, nth, when, after
):
    if (after, method) == ("next", "PUT"):
        pytest.skip("then the primary number is the vendor's affair")
    sandbox.set(callingbox_detached_primary=after)

    class Died(BaseException):
        """What no handler catches, like SIGKILL."""

    from airflow_provider_phonelink.api.senders import Sender

    genuine = Sender._try

    def dying(sender, call):
        if call.method == method and when == "before":
            raise Died
        answer = genuine(sender, call)
        if call.method == method:
            raise Died
        return answer

    tries = Tries(move(retries=3), connections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sender, "_try", dying)
        died = tries()
    assert isinstance(died.error, Died), died.log

    outcome = tries()
    assert outcome.state == "success", outcome.log
    assert world.links()[MOVED] == (AGENT, ["agent-outbound"])
    assert primaries(world) == ("pn_second", "pn_own")
    assert len(writes(sandbox)) == (3 if after == "null" else 2)


def test_a_retry_after_a_crash_in_the_gap_gives_back_what_it_cannot_attach(sandbox, world, connections):
    tries = Tries(move(retries=3), connections)
    sandbox.faults.add(Fault("status", method="POST", status=400, count=2))
    tries()
    assert world.links()[MOVED][0] is None

    sandbox.faults.clear()
    sandbox.faults.add(REFUSED)
    outcome = tries()
    assert "Now agent agent-sales has it" in str(outcome.error)
    assert world.links()[MOVED][0] == OTHER_AGENT
    assert primaries(world) == (MOVED, "pn_own")


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("primary", [MOVED, "pn_third"])
def test_detaching_keeps_the_primary_number_right(sandbox, world, connections, switches, primary):
    world.set_primary(OTHER_AGENT, primary)
    sandbox.set(**switches)
    if key := switches.get("callingbox_attach_body_key"):
        connections["callingbox_default"]["extra"]["attach_body_key"] = key
    outcome = run_task(detach(), connections=connections)

    if switches == SPARSE:
        assert (outcome.state, writes(sandbox)) == ("failed", [])
        return
    assert outcome.state == "success", outcome.log
    assert primaries(world)[0] == ("pn_second" if primary == MOVED else "pn_third")
    left_null = primary == MOVED and switches.get("callingbox_detached_primary") != "next"
    assert writes(sandbox) == [DETACH, *([PRIMARY] if left_null else [])]
    assert outcome.value["primary_number_id"] == primaries(world)[0]


def test_templates(sandbox, world, connections):
    task = CallingBoxAttachNumberOperator(
        task_id="move",
        agent_id="{{ params.agent }}",
        number_id=MOVED,
        if_attached="{{ params.if_attached }}",  # type: ignore[arg-type]
        params={"agent": AGENT, "if_attached": "move"},
    )
    assert run_task(task, connections=connections).state == "success"
    assert world.links()[MOVED][0] == AGENT
