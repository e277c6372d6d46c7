"""Wherever a task takes a number's id, its phone number will do, in any notation, for one more request."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from airflow_harness.tasks import run_task, run_to_end
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT, OTHER_CREDENTIALS, state_of

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import Fault, seeds
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

STORED = "+15550109901"
NOTATIONS = [STORED, "0015550109901", "+1 (555) 010-9901", "tel:+1-555-010-9901"]
#: The operator, the argument that names the number, and other arguments.
TASKS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "link": (DashaLinkPhoneNumberOperator, "phone_number_id", {"agent_id": AGENT}),
    "link outbound": (
        DashaLinkPhoneNumberOperator,
        "phone_number_id",
        {"agent_id": AGENT, "mode": "replaceOutbound"},
    ),
    "unlink": (DashaUnlinkPhoneNumberOperator, "phone_number_id", {}),
    "sensor": (DashaRegistrationSensor, "phone_number_ids", {"poke_interval": 0.01, "timeout": 60}),
    "deferrable sensor": (
        DashaRegistrationSensor,
        "phone_number_ids",
        {"poke_interval": 0.01, "timeout": 60, "deferrable": True},
    ),
    "attach": (CallingBoxAttachNumberOperator, "number_id", {"agent_id": "agent-outbound"}),
    "move": (CallingBoxAttachNumberOperator, "number_id", {"agent_id": AGENT, "if_attached": "move"}),
    "detach": (CallingBoxDetachNumberOperator, "number_id", {"agent_id": OTHER_AGENT}),
}
DASHA = ("link", "link outbound", "unlink", "sensor", "deferrable sensor")


#: Who has the number afterwards: the inbound agent, and the outbound ones.
AFTER = {
    "link": (AGENT, []),
    "link outbound": (OTHER_AGENT, [AGENT]),
    "unlink": (None, []),
    "sensor": (OTHER_AGENT, []),
    "deferrable sensor": (OTHER_AGENT, []),
    "attach": (OTHER_AGENT, ["agent-outbound"]),
    "move": (AGENT, []),
    "detach": (None, []),
}


def task(name, value, **more):
    operator, argument, others = TASKS[name]
    return operator(task_id="task", **{argument: value, **others, **more})


class Twins:
    """Two numbers at the vendor of a task, with the same links."""

    def __init__(self, sandbox, name) -> None:
        self._world = sandbox.world
        self._dasha = name in DASHA
        self.named, self.twin = map(self._add, (STORED, "+15550109902"))

    def _add(self, phone_number: str) -> str:
        if self._dasha:
            return self._world.dasha.add_number(
                phone_number, CREDENTIALS, inbound=OTHER_AGENT, steps=seeds.REGISTERED
            )
        return self._world.callingbox.add_number(phone_number, agents=[OTHER_AGENT])

    @property
    def links(self):
        return (self._world.dasha if self._dasha else self._world.callingbox).links()


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", TASKS)
def test_any_notation_does_what_the_id_does(sandbox, box, connections, name, notation):
    twins = Twins(sandbox, name)
    by_id = run_to_end(task(name, twins.twin), connections=connections)
    requests = len(sandbox.journal)
    outcome = run_to_end(task(name, notation), connections=connections)

    assert (by_id.state, outcome.state) == ("success", "success"), outcome.log
    assert twins.links[twins.named] == AFTER[name]
    # CallingBox's list does not say whether it goes on.
    assert len(sandbox.journal) - requests <= requests + (1 if name in DASHA else 2)
    if "sensor" in name:
        assert outcome.value == {twins.named: "Registered"}


@pytest.mark.parametrize("name", TASKS)
def test_neither_an_id_nor_a_phone_number_is_refused_before_anything_is_sent(sandbox, box, connections, name):
    for value in ("", "None", " +15550109901", "'+15550109901", "../x"):
        outcome = run_task(task(name, value), connections=connections)
        assert isinstance(outcome.error, PhonelinkFailException), outcome.log
        assert "Nothing was sent" in str(outcome.error)
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize("name", TASKS)
def test_a_phone_number_that_is_not_there_or_there_twice(sandbox, box, connections, name):
    twins, world = Twins(sandbox, name), sandbox.world
    add = partial(world.dasha.add_number, STORED, OTHER_CREDENTIALS)
    other = add() if name in DASHA else world.callingbox.add_number(STORED)
    before = state_of(sandbox)
    absent = run_task(task(name, "+15550109909", retries=3), connections=connections)
    double = run_task(task(name, NOTATIONS[1], retries=3), connections=connections)

    assert (absent.state, double.state) == ("failed", "failed")
    assert "there is no number +15550109909" in str(absent.error)
    assert all(id_ in str(double.error) for id_ in (twins.named, other))
    assert state_of(sandbox) == before


@pytest.mark.parametrize("name", DASHA)
def test_credentials_tell_which(sandbox, connections, name):
    twins = Twins(sandbox, name)
    sandbox.world.dasha.add_number(STORED, OTHER_CREDENTIALS)
    outcome = run_to_end(task(name, NOTATIONS[1], credentials_id=CREDENTIALS), connections=connections)

    assert outcome.state == "success", outcome.log
    assert twins.links[twins.named] == AFTER[name]


def test_a_later_try_may_name_the_number_in_another_way(sandbox, connections):
    """What an earlier try did is known by the number's id, however it is named."""
    twins = Twins(sandbox, "link")
    variables: dict[str, str] = {}
    # The link takes effect, and then nobody can be asked about it.
    sandbox.faults.add(Fault("status", status=503, method="PUT", count=None, when="after"))
    sandbox.faults.add(Fault("status", status=503, method="GET", path=f"{twins.named}$", nth=2, count=None))
    first = run_task(task("link", STORED, retries=3), connections=connections, variables=variables)
    sandbox.faults.clear()
    again = task("link", twins.named, retries=3)
    second = run_task(again, connections=connections, variables=variables, try_number=2)

    assert (first.state, second.state) == ("up_for_retry", "success"), second.log
    assert twins.links[twins.named] == (AGENT, [])
    assert (second.value["changed"], second.value["previous_agent_id"]) == (True, OTHER_AGENT)


@pytest.mark.parametrize("agent", [AGENT, "agent-outbound"])
def test_detaching_a_number_that_does_not_exist_is_an_error(sandbox, box, connections, agent):
    before = state_of(sandbox)
    outcome = run_task(task("detach", "pn_mistyped", agent_id=agent, retries=3), connections=connections)

    assert outcome.state == "failed"
    assert "there is no number pn_mistyped" in str(outcome.error)
    assert state_of(sandbox) == before
