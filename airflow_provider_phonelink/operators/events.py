"""Asset events: a task reports which links it changed, so that other DAGs can be scheduled on the changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow import __version__ as airflow_version

from airflow_provider_phonelink.api.text import clean, visible_in
from airflow_provider_phonelink.assets import agent_uri, number_uri
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.metrics import count_change
from airflow_provider_phonelink.operators.results import push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow.sdk import Asset, BaseOperator, Context

    from airflow_provider_phonelink.operators.journal import TaskJournal
    from airflow_provider_phonelink.promises.journal import Entry

#: Airflow records a task's events in the request that ends the task, which may take 5 s, at 10 to 20 ms an event, and
#: about 1 ms for an asset that no DAG names.
MOST_EVENTS = 200
#: The XCom in which a task leaves its changes for the page of phone numbers, whoever waits for an event or not.
CHANGES_KEY = "phonelink_changes"
#: It would be read for each look at the page.
MOST_CHANGES = 1_000


@dataclass(frozen=True, kw_only=True)
class LinkChange:
    """A number's link before and after a task: the ``extra`` of the asset events."""

    vendor: str
    #: The connection of the task that made the change; :func:`tell` fills it in.
    conn_id: str | None = None
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
    #: False where it was told before: Airflow has run the task again after it succeeded.
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

    The assets become outlets of the task while it runs. If more than :data:`MOST_EVENTS` changed, its own outlets and
    those of agents come first. An asset with several changes gets one event. Events are switched off by
    ``asset_events = False`` in the section ``phonelink`` of Airflow's configuration.
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
    # A DAG waits for an agent's numbers rather than for a number, and there are fewer agents.
    uris = sorted(concerned, key=lambda uri: (uri not in declared, "/numbers/" in uri))
    if len(uris) > MOST_EVENTS:
        operator.log.warning("%d assets changed; only %d have an event.", len(uris), MOST_EVENTS)
    for uri in uris[:MOST_EVENTS]:
        try:
            asset = declared.get(uri) or _undeclared(uri, events)
        except ValueError as error:
            operator.log.warning(
                "There is no event for the asset %s, and a DAG that is scheduled on it does not learn of the change: "
                "Airflow refuses the asset (%s).",
                clean(uri),
                clean(error),
            )
            continue
        if asset:
            events[asset].extra.update(_extra(concerned[uri]))
            if uri not in declared:
                # By its URI alone, because the DAG that names it may give it another name.
                operator.outlets = [*operator.outlets, Asset.ref(uri=uri)]


def _undeclared(uri: str, events: Any) -> Asset | None:
    """
    Return the asset that carries what changed to Airflow, which ignores it if no DAG names the URI.

    Airflow 3.0 would fail the task instead. There Airflow has to be asked, which logs an error for a URI that no DAG
    names. An asset alias is no way out: Airflow would create missing assets when the task ends, but if two tasks end at
    the same time with the same new asset, or both use an alias for the first time, it fails one of them.

    :raises ValueError: If Airflow takes no asset with such a URI, as with one of more than 1,500 characters.
    """
    from airflow.sdk import Asset
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

    asset = Asset(uri)
    if not airflow_version.startswith("3.0."):
        return asset
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


def emit_journal(
    operator: BaseOperator, context: Context, journal: TaskJournal, *, vendor: str, forget: bool = False
) -> None:
    """
    Tell of all that the tries of a task did, once one succeeds: an earlier one was not able to.

    So each change is told at least once; one told twice says the second time that ``changed`` is false.

    :param forget: Whether a try that Airflow makes although this one succeeded tells nothing again.
    """
    changes = [change for entry in journal.to_tell() for change in link_changes(entry, vendor)]
    tell(operator, context, changes, vendor=vendor, told=lambda: journal.close(forget=forget))


def tell(
    operator: BaseOperator,
    context: Context,
    changes: list[LinkChange],
    *,
    vendor: str,
    told: Callable[[], None],
) -> None:
    """
    Tell of changes: by asset events, to the page of phone numbers, and by metrics.

    :param told: Notes that they were told, so that a later try does not count them again.
    """
    hook: Any = operator.hook  # type: ignore[attr-defined] # all operators that change links have one
    changes = [replace(change, conn_id=hook.conn_id) for change in changes]
    emit_events(operator, context, changes)
    made = [change for change in changes if change.changed]
    if made:
        push(context, {CHANGES_KEY: [visible_in(asdict(change)) for change in made[:MOST_CHANGES]]})
    told()
    for change in made:
        replaces = bool(change.previous_agent_id or change.previous_number_id)
        count_change(vendor, made=bool(change.agent_id), in_place_of_another=replaces)


def link_changes(entry: Entry, vendor: str) -> list[LinkChange]:
    """Return what an entry tells: an inbound link, once for each agent that lost it."""
    inbound = entry.mode == INBOUND
    now = None if entry.removes else entry.agent_id
    before = entry.losers if inbound or entry.losers else [entry.agent_id if entry.removes else None]
    return [
        LinkChange(
            vendor=vendor,
            number_id=entry.number_id,
            phone_number=entry.phone_number,
            mode=entry.mode,
            agent_id=now,
            previous_agent_id=loser,
            previous_number_id=entry.previous_number_id,
            changed=entry.pending,
        )
        for loser in before or [None]
    ]
