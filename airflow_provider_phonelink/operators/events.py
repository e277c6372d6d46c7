"""Asset events: a task reports which links it changed, so that other DAGs can be scheduled on the changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.text import visible_in
from airflow_provider_phonelink.assets import agent_uri, number_uri
from airflow_provider_phonelink.operators.task_memory import TaskMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import Asset, BaseOperator, Context

    from airflow_provider_phonelink.decisions.planning import Plan

#: Airflow records a task's events in the request that ends the task, which may take 5 s, at 10 to 20 ms an event.
MOST_EVENTS = 100


@dataclass(frozen=True, kw_only=True)
class LinkChange:
    """A number's link before and after a task: the ``extra`` of the asset events."""

    vendor: str
    number_id: str
    #: None if the vendor's answer does not show it.
    phone_number: str | None = None
    #: In the vendor's words; None if the vendor does not show the agent's type.
    mode: str | None
    #: The agent that has the number in this mode now; None for nobody.
    agent_id: str | None
    #: The agent that had it before, if known and different.
    previous_agent_id: str | None = None
    #: For an outbound link: the number that the agent called out with before, if known.
    previous_number_id: str | None = None
    #: False if this try found the link as it should be: an earlier try made the change, or none was necessary.
    changed: bool = True

    @property
    def side(self) -> str | None:
        """The side of the agents concerned."""
        return self.mode and ("inbound" if self.mode == "inbound" else "outbound")

    def uris(self) -> list[str]:
        """Return the URIs of the assets that have changed."""
        agents = [self.agent_id, self.previous_agent_id] if self.side else []
        numbers = [self.number_id, self.previous_number_id]
        found = [agent_uri(agent, str(self.side), self.vendor) for agent in agents if agent]
        found += [number_uri(number, self.vendor) for number in numbers if number]
        return list(dict.fromkeys(found))


def emit_events(operator: BaseOperator, context: Context, changes: Iterable[LinkChange]) -> None:
    """
    Have Airflow record an event for each asset that changed and that some DAG names, once the task succeeds.

    The assets become outlets of the task while it runs. An asset with several changes gets one event. Events are
    switched off by ``asset_events = False`` in the section ``phonelink`` of Airflow's configuration.
    """
    from airflow.sdk import Asset

    from airflow_provider_phonelink.compat import conf

    concerned: defaultdict[str, list[LinkChange]] = defaultdict(list)
    for change in changes:
        for uri in change.uris():
            concerned[uri].append(change)
    events: Any = context.get("outlet_events")  # missing if the operator is executed by hand
    if not concerned or events is None or not conf.getboolean("phonelink", "asset_events", fallback=True):
        return
    declared = {outlet.uri: outlet for outlet in operator.outlets if isinstance(outlet, Asset)}
    found = {uri: declared.get(uri) or _known(uri, events) for uri in concerned}
    known = {uri: asset for uri, asset in found.items() if asset}
    if len(known) > MOST_EVENTS:
        operator.log.warning("%d assets changed; only %d have an event.", len(known), MOST_EVENTS)
    for uri, asset in list(known.items())[:MOST_EVENTS]:
        events[asset].extra.update(_extra(concerned[uri]))
        if uri not in declared:
            operator.outlets = [*operator.outlets, asset]


def _known(uri: str, events: Any) -> Asset | None:
    """
    Return the asset if some DAG names it; otherwise no DAG waits for it.

    With an asset alias, Airflow would create missing assets when the task ends. But if two tasks end at the same time
    with the same new asset, or both use an alias for the first time, Airflow fails one of them, without a retry.
    """
    from airflow.sdk import Asset
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

    try:
        key = events[Asset.ref(uri=uri)].key
    except AirflowRuntimeError as error:
        if error.error.error != ErrorType.ASSET_NOT_FOUND:
            raise
        return None
    return Asset(name=key.name, uri=key.uri)


def _extra(changes: list[LinkChange]) -> dict[str, Any]:
    """Return what changed; if there are several changes, what they have in common."""
    first, *others = map(asdict, changes)
    common = {
        name: value if all(other[name] == value for other in others) else None
        for name, value in first.items()
    }
    changed = any(change.changed for change in changes)
    return {**visible_in(common), "changed": changed, "changes": len(changes)}


def emit_if_changed(operator: BaseOperator, context: Context, change: LinkChange) -> None:
    """
    Emit the events of a change that this try made, or that an earlier try may have made before it died.

    So each change has its events at least once; if twice, the second ones say that ``changed`` is false.
    """
    if change.changed or later_try(context):
        emit_events(operator, context, [change])


def later_try(context: Context) -> bool:
    """Return whether an earlier try of the task may have made a change that this one finds made."""
    ti = context.get("ti")
    return ti is not None and int(ti.try_number) > 1


class ChangeEvents:
    """
    The events of a task that applies a plan, whichever of its tries made a change.

    A try that fails or dies half-way emits nothing, and the next one finds its changes made. So each try saves its
    plan before the first write, and the try that succeeds emits the events of all of them.
    """

    def __init__(self, operator: BaseOperator, context: Context, *, vendor: str) -> None:
        self._operator, self._context, self._vendor = operator, context, vendor
        self._memory = TaskMemory(context, "changes")
        self._earlier: list[dict[str, Any]] = (self._memory.read() or []) if later_try(context) else []
        self._planned: list[dict[str, Any]] = []

    def expect(self, plan: Plan) -> None:
        """Save the changes that are about to be made."""
        self._planned = [plan.as_json(change) for change in plan.changes]
        self._earlier = [change for change in self._earlier if change not in self._planned]
        if self._planned:
            self._memory.write(self._earlier + self._planned)

    def emit(self) -> None:
        """Emit the events of all changes, which have all been made."""
        changes = [self._link_change(change, changed=False) for change in self._earlier]
        changes += [self._link_change(change, changed=True) for change in self._planned]
        emit_events(self._operator, self._context, changes)
        if changes:
            self._memory.write(None)

    def _link_change(self, planned: dict[str, Any], *, changed: bool) -> LinkChange:
        removed = planned["action"] == "unlink"
        agent_id = planned["agent_id"]
        return LinkChange(
            vendor=self._vendor,
            number_id=planned["number_id"],
            phone_number=planned["phone_number"],
            mode=planned["mode"],
            agent_id=None if removed else agent_id,
            previous_agent_id=agent_id if removed else planned["previous_agent_id"],
            previous_number_id=planned["previous_number_id"],
            changed=changed,
        )
