"""The rows of the page: every number of every connection, what is asked of them, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.uuids import plain_id
from airflow_provider_phonelink.decisions.registration import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber
    from airflow_provider_phonelink.fleet.changes import PastChange
    from airflow_provider_phonelink.fleet.wishes import Wish

#: The columns of the CSV file, which are also the first entries of a row in JSON.
COLUMNS = (
    "phone_number",
    "vendor",
    "connection",
    "id",
    "name",
    "verdict",
    "state",
    "reason",
    "since",
    "expires_at",
    "inbound_agent_id",
    "inbound_agent_name",
    "outbound_agent_ids",
    "outbound_agent_names",
    "as_routes_want",
    "wanted_inbound_agent_id",
    "wanted_outbound_agent_ids",
)
_YES = ("1", "true", "on")
#: How many rows a page shows.
ROWS_ON_A_PAGE = 200
#: The order of verdicts: what needs somebody comes first.
_URGENCY = (
    Verdict.FAILED,
    Verdict.GONE,
    Verdict.REFUSED,
    Verdict.NEVER,
    Verdict.WAITING,
    Verdict.ACTIVE,
    None,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A number of a connection."""

    connection: str
    #: The vendor's key.
    vendor: str
    number: FleetNumber
    #: The names of agents by their ids.
    agent_names: Mapping[str, str]
    #: What a task last changed for it, as far as that is known.
    last_change: PastChange | None = None
    #: What routes want of it, as far as a reconcile task has left that.
    wishes: Sequence[Wish] = ()

    @property
    def drift(self) -> list[Wish]:
        """What routes want and is not true."""
        return [wish for wish in self.wishes if not wish.is_true_of(self.number)]

    @property
    def agent_ids(self) -> tuple[str, ...]:
        """The agents that have it, the one that answers first."""
        inbound = self.number.inbound_agent_id
        return (*((inbound,) if inbound else ()), *self.number.outbound_agent_ids)

    def named(self, agent_id: str) -> str:
        """Return what people call an agent: its name or, if it has none, its id."""
        return self.agent_names.get(agent_id) or agent_id

    def as_json(self) -> dict[str, Any]:
        """Return its facts as plain data."""
        number = self.number
        inbound = number.inbound_agent_id
        return {
            "phone_number": number.phone_number,
            "vendor": self.vendor,
            "connection": self.connection,
            "id": number.id,
            "name": number.name,
            "verdict": number.verdict.value if number.verdict else None,
            "state": number.state,
            "reason": number.reason or None,
            "since": number.since.isoformat() if number.since else None,
            "expires_at": number.expires_at.isoformat() if number.expires_at else None,
            "inbound_agent_id": inbound,
            "inbound_agent_name": self.agent_names.get(inbound) if inbound else None,
            "outbound_agent_ids": list(number.outbound_agent_ids),
            "outbound_agent_names": [self.agent_names.get(id_) for id_ in number.outbound_agent_ids],
            "as_routes_want": not self.drift if self.wishes else None,
            "wanted_inbound_agent_id": next((wish.agent_id for wish in self.wishes if wish.inbound), None),
            "wanted_outbound_agent_ids": sorted(wish.agent_id for wish in self.wishes if not wish.inbound),
            "last_change": self.last_change.as_json() if self.last_change else None,
        }


def rows_of(
    connection: str,
    vendor: str,
    fleet: Fleet,
    changes: Mapping[tuple[str, str], PastChange],
    wishes: Mapping[tuple[str, str], Sequence[Wish]],
) -> list[Row]:
    """
    Return the rows of one connection.

    :param changes: The last change of each number, by connection and id.
    :param wishes: What routes want of each number, likewise.
    """
    return [
        Row(
            connection=connection,
            vendor=vendor,
            number=number,
            agent_names=fleet.agent_names,
            last_change=changes.get((connection, number.id)),
            wishes=wishes.get((connection, number.id), ()),
        )
        for number in fleet.numbers
    ]


@dataclass(frozen=True, kw_only=True)
class View:
    """What somebody wants to see: the parameters of the page's address, which is thereby a permalink."""

    #: Part of a phone number, a name, an id or an agent.
    search: str = ""
    verdict: str = ""
    #: An agent's id.
    agent: str = ""
    vendor: str = ""
    connection: str = ""
    #: Only numbers that no agent answers.
    unanswered: bool = False
    #: Only numbers that are not linked as routes want.
    drift: bool = False
    #: A column to sort by; a minus in front reverses the order.
    sort: str = "phone_number"
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> View:
        """Return the view of an address; what it cannot mean is left out."""
        texts = {name: parameters.get(name, "").strip() for name in ("search", "connection")}
        verdict, vendor, sort = (parameters.get(name, "") for name in ("verdict", "vendor", "sort"))
        page = parameters.get("page", "")
        return cls(
            **texts,
            agent=plain_id(parameters.get("agent", "").strip()),
            verdict=verdict if verdict in [one.value for one in Verdict] else "",
            vendor=vendor if vendors.find(vendor) else "",
            unanswered=parameters.get("unanswered", "") in _YES,
            drift=parameters.get("drift", "") in _YES,
            sort=sort if sort.removeprefix("-") in _ORDERS else "phone_number",
            page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,
        )

    def query(self, **changes: Any) -> str:
        """Return the address's query with some parameters changed; without those that say nothing."""
        view, plain = replace(self, **changes), View()
        given = {field.name: getattr(view, field.name) for field in fields(view)}
        said = {name: value for name, value in given.items() if value != getattr(plain, name)}
        return urlencode({name: "1" if value is True else value for name, value in said.items()})

    def sorted_by(self, column: str) -> str:
        """Return the query that sorts by a column; in reverse if it is sorted by it now."""
        return self.query(sort=f"-{column}" if self.sort == column else column, page=1)

    def select(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows that are asked for, in the order that is asked for."""
        column = self.sort.removeprefix("-")
        found = sorted(filter(self._wants, rows), key=lambda row: (row.connection, row.number.id))
        return sorted(found, key=_ORDERS[column], reverse=self.sort != column)

    def covers(self, connection: str, vendor: str) -> bool:
        """Return whether it may show numbers of a connection."""
        return self.vendor in ("", vendor) and self.connection in ("", connection)

    def _wants(self, row: Row) -> bool:
        number = row.number
        return (
            self.covers(row.connection, row.vendor)
            and self.verdict in ("", number.verdict)
            and (not self.agent or self.agent in row.agent_ids)
            and not (self.unanswered and number.inbound_agent_id)
            and not (self.drift and not row.drift)
            and (not self.search or self._mentions(row))
        )

    def _mentions(self, row: Row) -> bool:
        number = row.number
        wanted, digits, whole = self._searched
        texts = [number.phone_number, number.name, number.id, number.state, *row.agent_ids]
        texts += [row.named(agent_id) for agent_id in row.agent_ids]
        if any(wanted in text.casefold() for text in texts if text):
            return True
        phone_number = number.phone_number or ""
        return bool((digits and digits in _digits(phone_number)) or (whole and whole == e164(phone_number)))

    @cached_property
    def _searched(self) -> tuple[str, str | None, str | None]:
        """What is searched for: as a text, as the digits of a part of a phone number, and as a whole one in E.164."""
        digits = _digits(self.search)  # "+1 (555) 010" finds +1555010...
        is_part = len(digits) > 2 and not self.search.strip(" +()-./0123456789")
        return self.search.casefold(), digits if is_part else None, e164(self.search)


def cut(rows: Sequence[Row], page: int) -> tuple[Sequence[Row], int]:
    """Return the rows of a page, and how many pages there are; the last page if there are not as many."""
    pages = max(1, -(-len(rows) // ROWS_ON_A_PAGE))
    first = (min(page, pages) - 1) * ROWS_ON_A_PAGE
    return rows[first : first + ROWS_ON_A_PAGE], pages


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _agents(row: Row, agent_ids: Sequence[str]) -> tuple[bool, list[str]]:
    return not agent_ids, [row.named(agent_id).casefold() for agent_id in agent_ids]


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "phone_number": lambda row: row.number.phone_number or "",
    "vendor": lambda row: (row.vendor, row.connection),
    "name": lambda row: (not row.number.name, (row.number.name or "").casefold()),
    "verdict": lambda row: (_URGENCY.index(row.number.verdict), row.number.state or ""),
    "inbound": lambda row: _agents(row, row.agent_ids[:1] if row.number.inbound_agent_id else ()),
    "outbound": lambda row: _agents(row, row.number.outbound_agent_ids),
    "drift": lambda row: (not row.drift, not row.wishes),
    # The latest first: whoever asks wants to know what has just happened.
    "changed": lambda row: -row.last_change.at.timestamp() if row.last_change else inf,
}
