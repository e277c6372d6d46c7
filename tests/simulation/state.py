"""What is linked to what, as plain slots with one value each, so that two moments can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.world import World

#: ("inbound", number): its agent. ("outbound", agent): its one number (Dasha). ("attached", number, agent): whether an
#: outbound agent has it (CallingBox). ("primary", agent): its number. ("number", id): what is stored of it.
Slot: TypeAlias = "tuple[str, ...]"
State: TypeAlias = "dict[Slot, Any]"


class Happened(NamedTuple):
    """A slot got another value."""

    #: Whether the task did it, rather than somebody else.
    by_task: bool
    #: In which try, and after which of all requests.
    try_: int
    request: int
    slot: Slot
    before: Any
    after: Any


def state_of(world: World) -> State:
    """Return the state of both vendors; what is not there is None."""
    found: State = {}
    for number in world.dasha.numbers.values():
        found["inbound", number.id] = number.inbound_agent
        found["number", number.id] = number.settings
    for agent, number_id in world.dasha.outbound.number_of.items():
        found["outbound", agent] = number_id
    for number in world.callingbox.numbers.values():
        found["inbound", number.id] = number.inbound_agent
        for agent in number.outbound_agents:
            found["attached", number.id, agent] = True
    for agent in world.callingbox.agents.values():
        found["primary", agent.id] = agent.primary_number
    return found


def differences(before: State, after: State) -> list[tuple[Slot, Any, Any]]:
    """Return each slot whose value changed, with both values."""
    return [
        (slot, before.get(slot), after.get(slot))
        for slot in {**before, **after}
        if before.get(slot) != after.get(slot)
    ]
