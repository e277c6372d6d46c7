"""What the routes want: the wishes that reconcile tasks have left, and which of them are not true."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_phonelink.api.text import is_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_phonelink.decisions.fleet import FleetNumber


class Wish(NamedTuple):
    """That a number of a connection serves an agent, as the routes of a task say."""

    conn_id: str
    number_id: str
    agent_id: str
    #: Whether the agent is to answer the number, rather than to call out with it.
    inbound: bool
    #: When the task left it.
    at: datetime
    #: None if whoever looks may not know.
    dag_id: str | None

    def is_true_of(self, number: FleetNumber) -> bool:
        """Whether the number serves the agent now."""
        if self.inbound:
            return number.inbound_agent_id == self.agent_id
        return self.agent_id in number.outbound_agent_ids


def parsed(text: str) -> Iterator[Wish]:
    """Return the wishes in a Variable; none if it is of another form, since anybody may edit it."""
    try:
        value = json.loads(text)
        at = datetime.fromisoformat(value["at"])
        at.astimezone(timezone.utc)  # raises an OverflowError at the ends of time
        conn_id, dag_id = value["conn_id"], value["dag_id"]
        links = [(number, agent, mode) for number, agent, mode in value["links"]]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return
    texts = [conn_id, dag_id, *(text for link in links for text in link)]
    if at.tzinfo is not None and all(map(is_one_line, texts)):
        yield from (
            Wish(conn_id, number, agent, mode == "inbound", at, dag_id) for number, agent, mode in links
        )


def latest(wishes: Iterable[Wish]) -> dict[tuple[str, str], list[Wish]]:
    """
    Return the wishes by connection and number.

    Of two tasks that want different agents to answer a number, the one that ran last is right.
    """
    found: dict[tuple[str, str], list[Wish]] = {}
    for wish in sorted(wishes, key=lambda wish: wish.at, reverse=True):
        others = found.setdefault((wish.conn_id, wish.number_id), [])
        if not any((wish.inbound and other.inbound) or wish[:4] == other[:4] for other in others):
            others.append(wish)
    return found
