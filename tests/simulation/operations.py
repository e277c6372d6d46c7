"""What is simulated: operators, the worlds they meet, what they wish for, and what others may do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxReconcileLinksOperator,
    CallingBoxRotatePrimaryNumberOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaDeletePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaOnboardPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox.dasha import REGISTERED, TRUNK_A, TRUNK_B

if TYPE_CHECKING:
    from simulation.state import Slot, State

    from airflow_provider_phonelink.sandbox.world import World

A, B, C, CALLER = "agent-a", "agent-b", "agent-c", "agent-caller"
CREDENTIALS, NEW_CREDENTIALS = TRUNK_A, TRUNK_B
OUTBOUND = "replaceOutbound"

Ids: TypeAlias = Mapping[str, str]
Inputs: TypeAlias = "frozenset[str]"
Act: TypeAlias = Callable[["World", Ids], object]


@dataclass(frozen=True)
class Operation:
    """An operator in a world."""

    name: str
    vendor: str
    #: Fills the world, and returns the ids of its numbers by name.
    prepare: Callable[[World], Ids]
    #: Returns the operator's arguments; told which changes of its inputs are in force.
    arguments: Callable[[Ids, Inputs], dict[str, Any]]
    operator: type[Any]
    #: Whether the promise is kept.
    kept: Callable[[State, Ids, Inputs], bool]
    #: What the task may touch.
    touches: Callable[[Ids], set[Slot]]
    #: What somebody else may do.
    acts: Mapping[str, Act] = field(default_factory=dict)
    #: How the task's inputs may change between two tries.
    inputs: tuple[str, ...] = ()
    #: Whether a try takes a number from whoever has it by then: a reconciliation plans anew.
    takes_over: bool = False
    #: Whether the task does not look for what its agent had before: no request of the vendor tells.
    blind: bool = False
    #: The sandbox's switches.
    switches: Mapping[str, Any] = field(default_factory=dict)
    #: Whether a green task may leave a number as it was, with the reason in its row.
    reports: bool = False
    #: Agents that have a route of their own, and must not lose their last number before they have another.
    served: tuple[str, ...] = ()
    #: What it leaves to others, where they change it after one of its tries.
    leaves: tuple[str, ...] = ("inbound", "attached")


# -- Dasha BlackBox ----------------------------------------------------------------------------------------------------


def _dasha(**numbers: Mapping[str, Any]) -> Callable[[World], Ids]:
    def prepare(world: World) -> Ids:
        found = {}
        for i, (name, fields) in enumerate(numbers.items()):
            options = {"phone_number": f"+155501000{i}", "credentials_id": CREDENTIALS, **fields}
            found[name] = world.dasha.add_number(**options)
        return found

    return prepare


def _link(name: str, agent: str, mode: str = "inbound") -> Act:
    return lambda world, ids: world.dasha.link(ids[name], agent, mode)


def _unlink(name: str, agent: str | None = None, mode: str = "inbound") -> Act:
    return lambda world, ids: world.dasha.unlink(ids[name], mode, agent)


def _delete(name: str) -> Act:
    return lambda world, ids: world.dasha.delete(ids[name], force=True)


def _inbound(*names: str) -> Callable[[Ids], set[Slot]]:
    return lambda ids: {("inbound", ids[name]) for name in names}


def _has(state: State, kind: str, key: str) -> Any:
    return state.get((kind, key))


def _create_somebody(world: World, ids: Ids) -> object:
    return world.dasha.add_number("+15550100999", CREDENTIALS)


def _pairs(state: State) -> list[tuple[str, str]]:
    return [
        (value.phone_number, value.credentials_id)
        for slot, value in state.items()
        if slot[0] == "number" and value
    ]


CREATE = Operation(
    "create",
    "dasha",
    _dasha(n={}),
    lambda ids, inputs: {
        "phone_number": "+15550100999",
        "credentials_id": CREDENTIALS,
        "display_name": "Front desk",
    },
    DashaCreatePhoneNumberOperator,
    kept=lambda state, ids, inputs: _pairs(state).count(("+15550100999", CREDENTIALS)) == 1,
    touches=lambda ids: set(),
    acts={"create": _create_somebody},
)


def _links(name: str, agent: str = A, **arguments: Any) -> Callable[[Ids, Inputs], dict[str, Any]]:
    return lambda ids, inputs: {
        "phone_number_id": ids["other" if "another number" in inputs else name],
        "agent_id": C if "another agent" in inputs else agent,
        **arguments,
    }


def _linked(state: State, ids: Ids, inputs: Inputs) -> bool:
    name = "other" if "another number" in inputs else "n"
    return bool(_has(state, "inbound", ids[name]) == (C if "another agent" in inputs else A))


LINK_ACTS = {
    "link to C": _link("n", C),
    "link back to B": _link("n", B),
    "link to A": _link("n", A),
    "unlink": _unlink("n"),
    "delete": _delete("n"),
}
LINK = Operation(
    "link",
    "dasha",
    _dasha(n={"inbound": B}, other={"inbound": B}),
    _links("n"),
    DashaLinkPhoneNumberOperator,
    kept=_linked,
    touches=_inbound("n", "other"),
    acts=LINK_ACTS,
    inputs=("another agent", "another number"),
)
LINK_FREE = Operation(
    "link a free number",
    "dasha",
    _dasha(n={}, other={"inbound": A}),
    _links("n", if_linked="fail"),
    DashaLinkPhoneNumberOperator,
    kept=_linked,
    touches=_inbound("n"),
    acts={name: LINK_ACTS[name] for name in ("link to C", "link to A", "unlink")},
)
LINK_OUTBOUND = Operation(
    "link outbound",
    "dasha",
    _dasha(n={}, before={"outbound": [A]}, other={}),
    _links("n", mode=OUTBOUND),
    DashaLinkPhoneNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "outbound", A) == ids["n"],
    touches=lambda ids: {("outbound", A)},
    acts={"give A another": _link("other", A, OUTBOUND), "link to C": _link("n", C, OUTBOUND)},
    blind=True,
)
UNLINK = Operation(
    "unlink whoever it is",
    "dasha",
    _dasha(n={"inbound": B}, other={"inbound": B}),
    lambda ids, inputs: {"phone_number_id": ids["n"]},
    DashaUnlinkPhoneNumberOperator,
    # Whoever had it at the task's look; C is linked by somebody else only.
    kept=lambda state, ids, inputs: _has(state, "inbound", ids["n"]) in (None, C),
    touches=_inbound("n"),
    acts={name: LINK_ACTS[name] for name in ("link to C", "link back to B", "unlink")},
)
UNLINK_AGENT = Operation(
    "unlink an agent",
    "dasha",
    _dasha(n={"inbound": B}, other={"inbound": B}),
    _links("n", B),
    DashaUnlinkPhoneNumberOperator,
    kept=lambda state, ids, inputs: (
        _has(state, "inbound", ids["n"]) != (C if "another agent" in inputs else B)
    ),
    touches=_inbound("n"),
    acts={name: LINK_ACTS[name] for name in ("link to C", "link back to B", "unlink", "delete")},
    inputs=("another agent",),
)
UNLINK_OUTBOUND = Operation(
    "unlink outbound",
    "dasha",
    _dasha(n={"outbound": [A, B]}, other={}),
    lambda ids, inputs: {"phone_number_id": ids["n"], "agent_id": A, "mode": OUTBOUND},
    DashaUnlinkPhoneNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "outbound", A) != ids["n"],
    touches=lambda ids: {("outbound", A)},
    acts={"give A another": _link("other", A, OUTBOUND), "unlink": _unlink("n", A, OUTBOUND)},
)

POOL = ("p0", "p1", "p2")
DAILY = SimpleNamespace(timetable=SimpleNamespace(expression=None, delta=timedelta(days=1)))


def _rotation(ids: Ids, inputs: Inputs) -> dict[str, Any]:
    pool = [ids[name] for name in POOL]
    if "pool reordered" in inputs:
        pool.reverse()
    if "pool smaller" in inputs:
        pool.remove(ids["p1"])
    return {"agent_id": CALLER, "pool": pool}


ROTATE = Operation(
    "rotate",
    "dasha",
    _dasha(
        **{name: {"steps": REGISTERED, "outbound": [CALLER] if name == "p0" else []} for name in POOL},
        other={"outbound": [A]},
    ),
    _rotation,
    DashaRotatePhoneNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "outbound", CALLER) in {ids[name] for name in POOL},
    touches=lambda ids: {("outbound", CALLER)},
    acts={"give the caller p2": _link("p2", CALLER, OUTBOUND), "give it p0": _link("p0", CALLER, OUTBOUND)},
    inputs=("pool reordered", "pool smaller"),
)


def _routes(routes: Mapping[str, tuple[str, ...]], ids: Ids) -> list[dict[str, str]]:
    return [
        {"number": ids[name], "agent_id": agent, **({"mode": mode[0]} if mode else {})}
        for name, (agent, *mode) in routes.items()
    ]


def _reconcile_arguments(ids: Ids, inputs: Inputs) -> dict[str, Any]:
    routes: dict[str, tuple[str, ...]] = {"n1": (A,), "n2": (CALLER, OUTBOUND)}
    if "route gone" in inputs:
        del routes["n1"]
    if "another agent" in inputs:
        routes["n1"] = (C,)
    return {
        "routes": _routes(routes, ids),
        "prune": True,
        "scope": {"pool": [ids["n4"]], "modes": ["inbound"]},
    }


def _reconciled(state: State, ids: Ids, inputs: Inputs) -> bool:
    wished = C if "another agent" in inputs else A
    return (
        ("route gone" in inputs or _has(state, "inbound", ids["n1"]) == wished)
        and _has(state, "outbound", CALLER) == ids["n2"]
        and _has(state, "inbound", ids["n4"]) is None
    )


RECONCILE = Operation(
    "reconcile",
    "dasha",
    _dasha(n1={"inbound": B}, n2={}, n3={"outbound": [CALLER]}, n4={"inbound": B}, other={"inbound": B}),
    _reconcile_arguments,
    DashaReconcileLinksOperator,
    kept=_reconciled,
    touches=lambda ids: {("inbound", ids["n1"]), ("outbound", CALLER), ("inbound", ids["n4"])},
    acts={"link n1 to C": _link("n1", C), "link n4 to C": _link("n4", C), "unlink n1": _unlink("n1")},
    inputs=("route gone", "another agent"),
    takes_over=True,
)
HAND_DOWN = Operation(
    "reconcile hand-down",
    "dasha",
    _dasha(n1={"inbound": B}, n2={"inbound": A}, other={"inbound": B}),
    lambda ids, inputs: {
        "routes": _routes({"n2": (C,)} if "route gone" in inputs else {"n1": (A,), "n2": (C,)}, ids)
    },
    DashaReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        ("route gone" in inputs or _has(state, "inbound", ids["n1"]) == A)
        and _has(state, "inbound", ids["n2"]) == C
    ),
    touches=_inbound("n1", "n2"),
    acts={"link n2 to B": _link("n2", B), "link n1 to C": _link("n1", C)},
    inputs=("route gone",),
    takes_over=True,
    served=(A,),
)
CIRCLE = Operation(
    "reconcile circle",
    "dasha",
    _dasha(n1={"inbound": A}, n2={"inbound": B}, other={"inbound": C}),
    lambda ids, inputs: {"routes": _routes({"n1": (B,), "n2": (A,)}, ids)},
    DashaReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        _has(state, "inbound", ids["n1"]) == B and _has(state, "inbound", ids["n2"]) == A
    ),
    touches=_inbound("n1", "n2"),
    acts={"link n1 to C": _link("n1", C), "link n2 to C": _link("n2", C)},
    takes_over=True,
)
_SAME = "+15550100777"
NEW_TRUNK = Operation(
    "reconcile to new credentials",
    "dasha",
    _dasha(
        old={"phone_number": _SAME, "inbound": A},
        new={"phone_number": _SAME, "credentials_id": NEW_CREDENTIALS},
        other={"inbound": B},
    ),
    lambda ids, inputs: {
        "routes": _routes({"new": (A,)} if "route gone" not in inputs else {"other": (B,)}, ids),
        "prune": True,
        "scope": {"agents": [A]},
    },
    DashaReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        "route gone" in inputs
        or (_has(state, "inbound", ids["new"]) == A and _has(state, "inbound", ids["old"]) in (None, C))
    ),
    touches=_inbound("old", "new"),
    acts={"link new to B": _link("new", B), "unlink old": _unlink("old"), "link old to C": _link("old", C)},
    takes_over=True,
    switches={"dasha_inbound_uniqueness": "everywhere"},
)

_NEW = "+15550100999"


def _onboarding(ids: Ids, inputs: Inputs) -> dict[str, Any]:
    new = {"phone_number": _NEW, "inbound_agent_id": A, "outbound_agent_id": CALLER, "registration": False}
    there = {"phone_number": "+1555010000", "inbound_agent_id": C if "another agent" in inputs else A}
    return {
        "numbers": [there] if "row gone" in inputs else [new, there],
        "credentials_id": CREDENTIALS,
    }


def _onboarded(state: State, ids: Ids, inputs: Inputs) -> bool:
    new = [slot[1] for slot, value in state.items() if slot[0] == "number" and value.phone_number == _NEW]
    return (
        len(new) <= 1
        and _has(state, "inbound", ids["n"]) == (C if "another agent" in inputs else A)
        and (
            "row gone" in inputs
            or (
                len(new) == 1
                and _has(state, "inbound", new[0]) == A
                and _has(state, "outbound", CALLER) == new[0]
            )
        )
    )


ONBOARD = Operation(
    "onboard",
    "dasha",
    _dasha(
        n={"inbound": B, "registration": True, "steps": REGISTERED}, before={"outbound": [CALLER]}, other={}
    ),
    _onboarding,
    DashaOnboardPhoneNumbersOperator,
    kept=_onboarded,
    touches=lambda ids: {("inbound", ids["n"]), ("outbound", CALLER)},
    acts={
        "link to C": _link("n", C),
        "unlink": _unlink("n"),
        "give the caller another": _link("other", CALLER, OUTBOUND),
    },
    inputs=("another agent", "row gone"),
    blind=True,
)

DELETE = Operation(
    "delete",
    "dasha",
    _dasha(n={"inbound": B, "outbound": [A]}, other={"inbound": B}),
    lambda ids, inputs: {
        "phone_number_ids": ids["n"],
        "if_linked": "fail" if "leave it" in inputs else "unlink",
    },
    DashaDeletePhoneNumberOperator,
    kept=lambda state, ids, inputs: ("number", ids["n"]) not in state,
    touches=lambda ids: {("inbound", ids["n"]), ("outbound", A), ("number", ids["n"])},
    acts={
        "link to C": _link("n", C),
        "unlink": _unlink("n"),
        "give A another": _link("other", A, OUTBOUND),
        "delete": _delete("n"),
    },
    inputs=("leave it",),
    leaves=("inbound", "outbound"),
)
DELETE_REPORTING = replace(
    DELETE,
    name="delete, reporting",
    # By its phone number, which tells less than an id once the number is gone.
    arguments=lambda ids, inputs: {
        "phone_number_ids": "+1 555 010 000",
        "if_linked": "unlink",
        "on_failed": "report",
    },
    # It is gone, or nobody is left without through the task; others may have unlinked it.
    kept=lambda state, ids, inputs: (
        ("number", ids["n"]) not in state or _has(state, "outbound", A) is not None
    ),
    inputs=(),
    reports=True,
)

# -- CallingBox --------------------------------------------------------------------------------------------------------

OUT = "agent-out"


def _callingbox(primaries: Mapping[str, str] | None = None, **numbers: list[str]) -> Callable[[World], Ids]:
    def prepare(world: World) -> Ids:
        box = world.callingbox
        for agent in (A, B, C):
            box.add_agent("inbound", id=agent)
        box.add_agent("outbound", id=OUT)
        for i, (name, agents) in enumerate(numbers.items()):
            box.add_number(f"+155502000{i}", id=f"pn_{name}", agents=agents)
        for agent, name in (primaries or {}).items():
            box.set_primary(agent, f"pn_{name}")
        return {name: f"pn_{name}" for name in numbers}

    return prepare


def _take(world: World, ids: Ids, name: str) -> None:
    holder = world.callingbox.numbers[ids[name]].inbound_agent
    if holder:
        world.callingbox.detach(holder, ids[name])


def _give(name: str, agent: str) -> Act:
    def act(world: World, ids: Ids) -> None:
        if ids[name] not in world.callingbox.agents[agent].numbers:
            _take(world, ids, name)
            world.callingbox.attach(agent, ids[name])

    return act


def _make_primary(name: str, agent: str = OUT) -> Act:
    return lambda world, ids: world.callingbox.set_primary(agent, ids[name])


def _attached(state: State, ids: Ids, inputs: Inputs) -> bool:
    name = "other" if "another number" in inputs else "n"
    return bool(_has(state, "inbound", ids[name]) == (C if "another agent" in inputs else A))


def _box_slots(*agents: str, names: tuple[str, ...] = ("n",)) -> Callable[[Ids], set[Slot]]:
    return lambda ids: {
        *(("inbound", ids[name]) for name in names),
        *(("primary", agent) for agent in agents),
    }


ATTACH = Operation(
    "attach",
    "callingbox",
    _callingbox({A: "own"}, n=[], own=[A], own2=[A], other=[B]),
    lambda ids, inputs: {"agent_id": A, "number_id": ids["n"]},
    CallingBoxAttachNumberOperator,
    kept=_attached,
    touches=_box_slots(A),
    acts={
        "give it to C": _give("n", C),
        "give it to A": _give("n", A),
        "make own2 primary": _make_primary("own2", A),
    },
)
MOVE = Operation(
    "attach, moving",
    "callingbox",
    _callingbox({B: "n", A: "own"}, n=[B, OUT], kept=[B], own=[A], own2=[A], other=[C]),
    lambda ids, inputs: {
        "agent_id": C if "another agent" in inputs else A,
        "number_id": ids["other" if "another number" in inputs else "n"],
        "if_attached": "move",
    },
    CallingBoxAttachNumberOperator,
    kept=_attached,
    touches=_box_slots(A, B, C, names=("n", "other")),
    acts={
        "give it to C": _give("n", C),
        "give it back to B": _give("n", B),
        "take it": lambda world, ids: _take(world, ids, "n"),
        "archive A": lambda world, ids: world.callingbox.archive(A),
        "make own2 primary": _make_primary("own2", A),
    },
    inputs=("another agent", "another number"),
)
DETACH = Operation(
    "detach",
    "callingbox",
    _callingbox({B: "n"}, n=[B, OUT], kept=[B]),
    lambda ids, inputs: {"agent_id": B, "number_id": ids["n"]},
    CallingBoxDetachNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "inbound", ids["n"]) != B,
    touches=_box_slots(B),
    acts={"give it to C": _give("n", C), "give it back to B": _give("n", B)},
)


def _box_reconcile(ids: Ids, inputs: Inputs) -> dict[str, Any]:
    routes: dict[str, tuple[str, ...]] = {"n": (A,), "out": (OUT,)}
    if "route gone" in inputs:
        del routes["n"]
    if "another agent" in inputs:
        routes["n"] = (C,)
    return {"routes": _routes(routes, ids)}


BOX_RECONCILE = Operation(
    "reconcile CallingBox",
    "callingbox",
    _callingbox({B: "n", OUT: "p0"}, n=[B], kept=[B], out=[], p0=[OUT], p1=[OUT], other=[C]),
    _box_reconcile,
    CallingBoxReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        ("route gone" in inputs or _attached(state, ids, inputs))
        and state.get(("attached", ids["out"], OUT)) is True
    ),
    touches=lambda ids: {*_box_slots(A, B, C, OUT)(ids), ("attached", ids["out"], OUT)},
    acts={
        "give it to C": _give("n", C),
        "take it": lambda world, ids: _take(world, ids, "n"),
        "archive A": lambda world, ids: world.callingbox.archive(A),
        "make p1 primary": _make_primary("p1"),
    },
    inputs=("route gone", "another agent"),
    takes_over=True,
)
BOX_HAND_DOWN = Operation(
    "reconcile hand-down CallingBox",
    "callingbox",
    _callingbox(n1=[], n2=[A], other=[B]),
    lambda ids, inputs: {"routes": _routes({"n1": (A,), "n2": (C,)}, ids)},
    CallingBoxReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        _has(state, "inbound", ids["n1"]) == A and _has(state, "inbound", ids["n2"]) == C
    ),
    touches=_box_slots(A, C, names=("n1", "n2")),
    acts={"give n2 to B": _give("n2", B)},
    takes_over=True,
    served=(A,),
)
BOX_CIRCLE = Operation(
    "reconcile circle CallingBox",
    "callingbox",
    _callingbox({A: "n1", B: "n2"}, n1=[A], n2=[B], other=[C]),
    lambda ids, inputs: {"routes": _routes({"n1": (B,), "n2": (A,)}, ids)},
    CallingBoxReconcileLinksOperator,
    kept=lambda state, ids, inputs: (
        _has(state, "inbound", ids["n1"]) == B and _has(state, "inbound", ids["n2"]) == A
    ),
    touches=_box_slots(A, B, C, names=("n1", "n2")),
    acts={"give n2 to C": _give("n2", C)},
    takes_over=True,
)


def _box_rotation(ids: Ids, inputs: Inputs) -> dict[str, Any]:
    pool = [ids[name] for name in POOL if not ("pool smaller" in inputs and name == "p1")]
    return {"agent_id": OUT, "pool": pool[::-1] if "pool reordered" in inputs else pool}


BOX_ROTATE = Operation(
    "rotate CallingBox",
    "callingbox",
    _callingbox({OUT: "p0"}, p0=[OUT], p1=[OUT], p2=[OUT, A], other=[B]),
    _box_rotation,
    CallingBoxRotatePrimaryNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "primary", OUT) in {ids[name] for name in POOL},
    touches=lambda ids: {("primary", OUT)},
    acts={"make p2 primary": _make_primary("p2"), "make p0 primary": _make_primary("p0")},
    inputs=("pool reordered", "pool smaller"),
)
SET_PRIMARY = Operation(
    "set primary",
    "callingbox",
    _callingbox({B: "other"}, n=[B], other=[B], third=[B], own=[A]),
    lambda ids, inputs: {"agent_id": B, "number_id": ids["n"]},
    CallingBoxSetPrimaryNumberOperator,
    kept=lambda state, ids, inputs: _has(state, "primary", B) == ids["n"],
    touches=_box_slots(B, names=()),
    acts={
        "make the other primary": _make_primary("other", B),
        "make a third primary": _make_primary("third", B),
        "take it": lambda world, ids: _take(world, ids, "n"),
    },
    leaves=("primary",),
)

OPERATIONS = {
    operation.name: operation
    for operation in (
        CREATE,
        LINK,
        LINK_FREE,
        LINK_OUTBOUND,
        UNLINK,
        UNLINK_AGENT,
        UNLINK_OUTBOUND,
        ROTATE,
        RECONCILE,
        HAND_DOWN,
        CIRCLE,
        NEW_TRUNK,
        ONBOARD,
        DELETE,
        DELETE_REPORTING,
        ATTACH,
        MOVE,
        DETACH,
        SET_PRIMARY,
        BOX_RECONCILE,
        BOX_HAND_DOWN,
        BOX_ROTATE,
        BOX_CIRCLE,
    )
}
