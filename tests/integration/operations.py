"""Each operation of the provider as data: what is there before, what is wished, and what must be true afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_harness.tasks import run_task
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT, OTHER_CREDENTIALS, state_of

from airflow_provider_phonelink.api.dasha.reads import all_numbers
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxExportRoutesOperator,
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaExportRoutesOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.promises.callingbox.attach import attach_number, detach_number
from airflow_provider_phonelink.promises.dasha.create import create_number
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.sandbox import seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_harness.tasks import Outcome

    from airflow_provider_phonelink.sandbox import Sandbox
    from airflow_provider_phonelink.sandbox.world import World

NEW = "+15550111"
LISTED = ("+15550121", "+15550122", "+15550123")


@dataclass(frozen=True)
class Request:
    """
    One of an operation's requests, as a fault finds it.

    :param role: what it is for.
    :param path: a regular expression, in which {0}, {1}, ... are the numbers of the scene.
    :param looked_for: for a write: whether the look before it would be repeated finds that it took effect.
    :param ends: how a try ends that meets a fault here, where that is not as usual: by the kind of fault, or by
        ``lasting`` and ``final``.
    :param undone: for a try that fails here, how many writes it takes back, and how many it needs to.
    :param like: the role of another request that is made in the same way, and tried instead.
    """

    role: str
    method: str
    path: str
    nth: int = 1
    looked_for: bool = True
    ends: Mapping[str, str] = field(default_factory=dict)
    undone: int = 0
    like: str | None = None

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    def which(self, numbers: tuple[str, ...]) -> dict[str, Any]:
        return {"method": self.method, "path": self.path.format(*numbers), "nth": self.nth}


def _always(sandbox: Sandbox, *numbers: str) -> bool:
    return True


@dataclass(frozen=True)
class Operation:
    """
    One operation. All its functions take the numbers concerned, as ``prepare`` returns them.

    :param prepare: makes the world as it is before.
    :param operator: the operator that keeps the promise.
    :param promise: the flow that does; None where it takes the operator to keep it, and so Airflow.
    :param kept: whether the promise is kept.
    :param always: what is true at every moment, whatever goes wrong.
    :param left: what is true whenever a try has ended, whatever went wrong in it.
    :param requests: what is asked on the way, when nothing goes wrong.
    :param run_options: of the run, for :func:`airflow_harness.tasks.run_task`.
    """

    name: str
    vendor: str
    prepare: Callable[[Sandbox], tuple[str, ...]] = field(repr=False)
    operator: Callable[..., Any] = field(repr=False)
    kept: Callable[..., bool] = field(repr=False)
    requests: tuple[Request, ...]
    promise: Callable[..., Any] | None = field(default=None, repr=False)
    always: Callable[..., bool] | None = field(default=None, repr=False)
    left: Callable[..., bool] = field(default=_always, repr=False)
    run_options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def writes(self) -> int:
        return sum(request.writes for request in self.requests)


@dataclass
class Scene:
    """An operation in a world of its own, and what that world was like before."""

    operation: Operation
    sandbox: Sandbox

    def __post_init__(self) -> None:
        _bystanders(self.sandbox)
        self.numbers = self.operation.prepare(self.sandbox)
        self.before = state_of(self.sandbox)
        self.broken: list[str] = []
        self._airflow: dict[str, Any] = {"stored": {}, "variables": {}, **self.operation.run_options}
        if self.operation.always:
            # After each request, and nothing changes but by requests.
            self.sandbox.faults.meanwhile(self._watch, when="after", count=None)
        self.sandbox.journal.clear()

    def promise(self) -> Any:
        assert self.operation.promise is not None
        return self.operation.promise(*self.numbers)

    def run(self, connections: Mapping[str, Any], try_number: int = 1) -> Outcome:
        """Let Airflow run a try of the operator, which may be retried twice."""
        task = self.operation.operator(*self.numbers)
        task.retries = 2
        return run_task(task, connections=connections, try_number=try_number, **self._airflow)

    @property
    def kept(self) -> bool:
        return self.operation.kept(self.sandbox, *self.numbers) and not self.broken and self.left

    @property
    def left(self) -> bool:
        return self.operation.left(self.sandbox, *self.numbers)

    def disturbed(self) -> set[str]:
        """The numbers that were not meant to change and have: none, if all is well."""
        after = state_of(self.sandbox)
        changed = {id_ for id_ in {*self.before, *after} if self.before.get(id_) != after.get(id_)}
        mine = {id_ for id_ in after if id_ not in self.before} if self.operation.name == "create" else set()
        return changed - {*self.numbers} - mine

    def _watch(self, _: World) -> None:
        if not self.operation.always(self.sandbox, *self.numbers):  # type: ignore[misc]
            self.broken += [f"{entry.method} {entry.path}" for entry in self.sandbox.journal][-1:]


def _bystanders(sandbox: Sandbox) -> None:
    dasha, box = sandbox.world.dasha, sandbox.world.callingbox
    dasha.add_number("+15550199", CREDENTIALS, inbound=OTHER_AGENT, outbound=[OTHER_AGENT])
    dasha.add_number(NEW, OTHER_CREDENTIALS, inbound=AGENT)
    box.add_agent("inbound", id=AGENT)
    box.add_agent("outbound", id=OTHER_AGENT)
    box.add_number("+15550299", id="pn_bystander", agents=[AGENT, OTHER_AGENT])


def _number(sandbox: Sandbox, **links: Any) -> tuple[str]:
    return (sandbox.world.dasha.add_number("+15550100", CREDENTIALS, steps=seeds.REGISTERED, **links),)


def _listed(sandbox: Sandbox) -> tuple[()]:
    for phone_number in LISTED:
        sandbox.world.dasha.add_number(phone_number, CREDENTIALS, inbound="agent-listed")
    return ()


def _owned(sandbox: Sandbox, agents: tuple[str, ...]) -> tuple[str]:
    return (sandbox.world.callingbox.add_number("+15550200", id="pn_1", agents=agents),)


def _created(sandbox: Sandbox) -> int:
    stored = NEW.removeprefix("+") if sandbox.switches.dasha_stored_notation == "digits" else NEW
    return sum(
        (n.settings.phone_number, n.settings.credentials_id, n.settings.display_name)
        == (stored, CREDENTIALS, "New")
        for n in sandbox.world.dasha.numbers.values()
    )


def _links(sandbox: Sandbox, number: str) -> tuple[str | None, list[str]]:
    return sandbox.world.dasha.links()[number]


NUMBERS = "sip-phone-numbers$"
ONE = "sip-phone-numbers/*$"
AFFECTED = "affected-agents$"
LINK = "agent-link$"
#: It may come of a read that lags behind a write, and so is asked again for a while.
MAY_LAG = {"status 404": "success"}

OPERATIONS = (
    Operation(
        "create",
        "dasha",
        prepare=lambda sandbox: (),
        promise=lambda: create_number(NEW, CREDENTIALS, display_name="New"),
        operator=lambda: DashaCreatePhoneNumberOperator(
            task_id="task", phone_number=NEW, credentials_id=CREDENTIALS, display_name="New"
        ),
        kept=lambda sandbox: _created(sandbox) == 1,
        requests=(
            Request("look", "GET", NUMBERS),
            Request("write", "POST", NUMBERS),
            Request("proof", "GET", ONE, ends=MAY_LAG),
        ),
    ),
    Operation(
        "list",
        "dasha",
        prepare=_listed,
        promise=lambda: all_numbers(linked_agent_id="agent-listed"),
        operator=lambda: DashaListPhoneNumbersOperator(task_id="task", linked_agent_id="agent-listed"),
        kept=lambda sandbox: True,
        requests=(Request("first page", "GET", NUMBERS), Request("last page", "GET", NUMBERS, nth=2)),
    ),
    Operation(
        "export Dasha",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, inbound=AGENT),
        # Outbound links are read as for a reconciliation, among the longer operations.
        operator=lambda _: DashaExportRoutesOperator(
            task_id="task", agents=[AGENT], scope={"modes": ["inbound"]}
        ),
        kept=lambda sandbox, _: True,
        requests=(
            Request("first page", "GET", NUMBERS),
            Request("last page", "GET", NUMBERS, nth=2),
        ),
    ),
    Operation(
        "export CallingBox",
        "callingbox",
        prepare=lambda sandbox: _owned(sandbox, (AGENT,)),
        operator=lambda _: CallingBoxExportRoutesOperator(task_id="task"),
        kept=lambda sandbox, _: True,
        requests=(
            Request("list", "GET", "v1/numbers$", ends={"empty list 200": "success"}),  # there may be none
            Request("list, last page", "GET", "v1/numbers$", nth=2, like="list"),
            Request("primary numbers", "GET", "v1/agents$"),
        ),
    ),
    Operation(
        "link inbound",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, inbound=OTHER_AGENT, outbound=["agent-campaign"]),
        promise=lambda number: link_number(number, AGENT),
        operator=lambda number: DashaLinkPhoneNumberOperator(
            task_id="task", phone_number_id=number, agent_id=AGENT
        ),
        kept=lambda sandbox, number: _links(sandbox, number) == (AGENT, ["agent-campaign"]),
        requests=(
            Request("look", "GET", ONE, ends=MAY_LAG),
            Request("write", "PUT", LINK),
            Request("proof", "GET", ONE, nth=2),
        ),
    ),
    Operation(
        "link inbound if free",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, outbound=["agent-campaign"]),
        promise=lambda number: link_number(number, AGENT, if_linked="fail"),
        operator=lambda number: DashaLinkPhoneNumberOperator(
            task_id="task", phone_number_id=number, agent_id=AGENT, if_linked="fail"
        ),
        kept=lambda sandbox, number: _links(sandbox, number) == (AGENT, ["agent-campaign"]),
        requests=(
            Request("look", "GET", ONE, ends=MAY_LAG),
            Request("write", "PUT", LINK),
            Request("proof", "GET", ONE, nth=2),
        ),
    ),
    Operation(
        "link outbound",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, inbound=OTHER_AGENT),
        promise=lambda number: link_number(number, AGENT, "replaceOutbound"),
        operator=lambda number: DashaLinkPhoneNumberOperator(
            task_id="task", phone_number_id=number, agent_id=AGENT, mode="replaceOutbound"
        ),
        kept=lambda sandbox, number: _links(sandbox, number) == (OTHER_AGENT, [AGENT]),
        requests=(
            Request("look", "GET", AFFECTED, ends=MAY_LAG),
            Request("write", "PUT", LINK, looked_for=False),
            Request("proof", "GET", AFFECTED, nth=2),
        ),
    ),
    Operation(
        "unlink inbound",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, inbound=AGENT, outbound=[AGENT]),
        promise=lambda number: unlink_number(number, agent_id=AGENT),
        operator=lambda number: DashaUnlinkPhoneNumberOperator(
            task_id="task", phone_number_id=number, agent_id=AGENT
        ),
        kept=lambda sandbox, number: _links(sandbox, number) == (None, [AGENT]),
        requests=(
            Request("look", "GET", ONE, ends=MAY_LAG),
            Request("write", "DELETE", LINK),
            Request("proof", "GET", ONE, nth=2),
        ),
    ),
    Operation(
        "unlink outbound",
        "dasha",
        prepare=lambda sandbox: _number(sandbox, inbound=OTHER_AGENT, outbound=[AGENT, "agent-campaign"]),
        promise=lambda number: unlink_number(number, "replaceOutbound", AGENT),
        operator=lambda number: DashaUnlinkPhoneNumberOperator(
            task_id="task", phone_number_id=number, agent_id=AGENT, mode="replaceOutbound"
        ),
        kept=lambda sandbox, number: _links(sandbox, number) == (OTHER_AGENT, ["agent-campaign"]),
        requests=(
            Request("look", "GET", AFFECTED, ends=MAY_LAG),
            Request("write", "DELETE", LINK, looked_for=False),
            Request("proof", "GET", AFFECTED, nth=2),
        ),
    ),
    Operation(
        "attach",
        "callingbox",
        prepare=lambda sandbox: _owned(sandbox, (OTHER_AGENT,)),
        promise=lambda number: attach_number(AGENT, number),
        operator=lambda number: CallingBoxAttachNumberOperator(
            task_id="task", agent_id=AGENT, number_id=number
        ),
        kept=lambda sandbox, number: sandbox.world.callingbox.links()[number] == (AGENT, [OTHER_AGENT]),
        requests=(
            Request("look at the agent", "GET", "agents/*$"),
            Request("look at the number", "GET", "v1/numbers$"),
            Request("write", "POST", "numbers$"),
            Request("proof", "GET", "agents/*$", nth=2),
        ),
    ),
    Operation(
        "detach",
        "callingbox",
        prepare=lambda sandbox: _owned(sandbox, (AGENT, OTHER_AGENT)),
        promise=lambda number: detach_number(AGENT, number),
        operator=lambda number: CallingBoxDetachNumberOperator(
            task_id="task", agent_id=AGENT, number_id=number
        ),
        kept=lambda sandbox, number: sandbox.world.callingbox.links()[number] == (None, [OTHER_AGENT]),
        requests=(
            Request("look", "GET", "agents/*$"),
            Request("write", "DELETE", "numbers/*$"),
            Request("proof", "GET", "agents/*$", nth=2),
        ),
    ),
    Operation(
        "set primary",
        "callingbox",
        prepare=lambda sandbox: _owned(sandbox, (AGENT,)),
        operator=lambda number: CallingBoxSetPrimaryNumberOperator(
            task_id="task", agent_id=AGENT, number_id=number
        ),
        kept=lambda sandbox, number: sandbox.world.callingbox.agents[AGENT].primary_number == number,
        requests=(
            Request("look", "GET", "agents/*$"),
            Request("write", "PUT", "primary-number$", looked_for=False),
            Request("proof", "GET", "agents/*$", nth=2),
        ),
    ),
    Operation(
        "list CallingBox numbers",
        "callingbox",
        prepare=lambda sandbox: (),
        operator=lambda: CallingBoxListNumbersOperator(task_id="task", agent_id=AGENT),
        kept=lambda sandbox: True,
        requests=(
            Request("read", "GET", "v1/numbers$"),
            Request("read, last page", "GET", "v1/numbers$", nth=2, like="read"),
        ),
    ),
    Operation(
        "list CallingBox agents",
        "callingbox",
        prepare=lambda sandbox: (),
        operator=lambda: CallingBoxListAgentsOperator(task_id="task", type="inbound"),
        kept=lambda sandbox: True,
        requests=(Request("read", "GET", "v1/agents$"),),
    ),
)
