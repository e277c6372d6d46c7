"""
What our tasks have left in Airflow's database.

Their changes, as XComs and as asset events; what rotations remember; and what routes want.

A few queries with a limit each, by an index each, at most once in a few seconds whoever looks.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.assets import SCHEME
from airflow_provider_phonelink.fleet import memories, wishes
from airflow_provider_phonelink.fleet.changes import Origin, PastChange, merged, parsed
from airflow_provider_phonelink.operators.events import CHANGES_KEY
from airflow_provider_phonelink.operators.wishes import WISHES_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from airflow_provider_phonelink.fleet.wishes import Wish

#: How far back the page looks.
REACH = timedelta(days=90)
#: How many XComs and how many asset events it reads, the latest first.
MOST_READ = 2_000
#: Seconds for which what was read is shown to others.
FRESH_FOR = 5.0


class History:
    """The changes of the last months, read when somebody looks."""

    def __init__(self) -> None:
        self._changes: list[PastChange] = []
        self._wishes: list[Wish] = []
        self._memories: list[memories.Remembered] = []
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def read(self, kinds: Mapping[str, str]) -> tuple[list[PastChange], list[Wish]]:
        """
        Return all known changes, the latest first, and all wishes. Blocks while the database is read.

        :param kinds: The connections that somebody may see, each with its type.
        """
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_FOR:
                self._changes, self._wishes, self._memories = _read(datetime.now(timezone.utc) - REACH)
                self._read_at = time.monotonic()
            told, wished, remembered = self._changes, self._wishes, self._memories
        return merged([*told, *memories.changes_of(remembered, kinds, told)]), wished


def permitted_dags(user: object) -> set[str]:
    """Return the ids of the DAGs that a user may see."""
    from airflow.api_fastapi.app import get_auth_manager

    return set(get_auth_manager().get_authorized_dag_ids(user=user, method="GET"))


def _read(since: datetime) -> tuple[list[PastChange], list[Wish], list[memories.Remembered]]:
    from airflow.utils.session import create_session

    with create_session() as session:
        changes = merged([*_of_results(session, since), *_of_events(session, since)])
        texts = _variables(session, memories.MEMORIES_KEY)
        remembered = [memory for key, text in texts if (memory := memories.parsed(key, text))]
        return changes, list(_wishes(session)), remembered


def _variables(session: Session, prefix: str) -> Iterator[tuple[str, str]]:
    from airflow.models import Variable
    from sqlalchemy import select

    query = select(Variable).where(Variable.key.like(f"{prefix}\\_\\_%", escape="\\")).limit(MOST_READ)
    yield from ((variable.key, variable.get_val() or "") for variable in session.scalars(query))


def _wishes(session: Session) -> Iterator[Wish]:
    from airflow.models import DagModel
    from sqlalchemy import select

    found = [wish for _, text in _variables(session, WISHES_KEY) for wish in wishes.parsed(text)]
    # A DAG that is gone wishes for nothing any more; Airflow keeps those whose files were removed, as stale.
    there = set(
        session.scalars(
            select(DagModel.dag_id).where(
                DagModel.dag_id.in_({wish.dag_id for wish in found}), DagModel.is_stale.is_(False)
            )
        )
    )
    yield from (wish for wish in found if wish.dag_id in there)


def _of_results(session: Session, since: datetime) -> Iterator[PastChange]:
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    # The value as it is stored: ours are plain JSON, and somebody else's must not make objects here.
    columns = (XComModel.dag_id, XComModel.run_id, XComModel.task_id, XComModel.map_index)
    query = (
        select(XComModel.value, XComModel.timestamp, *columns)
        .where(XComModel.key == CHANGES_KEY, XComModel.timestamp >= since)
        .order_by(XComModel.timestamp.desc())
        .limit(MOST_READ)
    )
    for value, at, *origin in session.execute(query):
        yield from parsed(value, at, Origin(*origin))


def _of_events(session: Session, since: datetime) -> Iterator[PastChange]:
    from airflow.models.asset import AssetEvent, AssetModel
    from sqlalchemy import select

    query = (
        select(AssetEvent)
        .where(
            AssetEvent.asset_id.in_(
                select(AssetModel.id).where(AssetModel.uri.like(f"{SCHEME}://%/numbers/%"))
            ),
            AssetEvent.timestamp >= since,
        )
        .order_by(AssetEvent.timestamp.desc())
        .limit(MOST_READ)
    )
    for event in session.scalars(query):
        origin = None
        if event.source_dag_id and event.source_run_id and event.source_task_id:
            index = -1 if event.source_map_index is None else event.source_map_index
            origin = Origin(event.source_dag_id, event.source_run_id, event.source_task_id, index)
        yield from parsed(event.extra, event.timestamp, origin)
