"""Routes, the wishes "this number serves this agent in this mode": reading them, and checking them for conflicts."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import NotNamedError, RoutesError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean, listed
from airflow_provider_phonelink.api.uuids import plain_id
from airflow_provider_phonelink.decisions.links import INBOUND, Link
from airflow_provider_phonelink.files.columns import Columns, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.links import LinkRules
    from airflow_provider_phonelink.files.columns import Row, Rows

#: The keys by which a route may name its number, and whether the value is an id (None: id or phone number).
NUMBER_KEYS: dict[str, bool | None] = {
    "number": None,
    "phone_number": False,
    "phone_number_id": True,
    "number_id": True,
}
#: ``comment`` is for people, ``vendor`` says whose route it is in a file for several vendors.
COLUMNS = Columns(
    "route", required=(tuple(NUMBER_KEYS), ("agent_id",)), optional=("mode", "comment", "vendor")
)


class Route(NamedTuple):
    """One wish, as written."""

    #: An id, in lower case if it is a uuid, or a phone number.
    number: str
    agent_id: str
    #: None: the agent's type decides.
    mode: str | None
    #: Whether ``number`` is an id; None if it may be an id or a phone number.
    is_id: bool | None = None
    #: The place among the routes, and in the file if they come from one, for messages.
    place: str = "route 1"
    #: The values of its extra columns.
    extra: Mapping[str, Any] = MappingProxyType({})


def parse_routes(items: object, rules: LinkRules, *, removing: bool = False) -> list[Route]:
    """
    Read routes from rows, or from the plain data of an XCom or a DAG.

    :param items: Rows that were read, or a list with a mapping for each route: the number (one of ``number``,
        ``phone_number``, ``phone_number_id`` and ``number_id``), ``agent_id`` and, if wanted, ``mode``, ``comment``,
        ``vendor`` and extra columns.
    :param removing: Whether links that no route mentions are removed.
    :raises InvalidArgumentError: If anything is missing, unknown or unusable, or if two routes contradict each other
        as written, with all such places; if links are to be removed and a table has lost its rows.
    """
    rows = rows_of(items, COLUMNS, "routes")
    routes = rows.each(lambda row: _route(row, rules), removing=removing)
    if problems := _clashes(routes):
        raise rows.error(listed(problems))
    return routes


def rows_of_vendor(rows: Rows, key: str) -> tuple[Rows, str | None]:
    """
    Return the routes that a file for several vendors has for one of them, and a sentence about the others.

    :param key: The vendor's, as the routes name it in ``vendor``. Routes that name none are everybody's.
    """
    own = rows.chosen("vendor", key, vendors.keys())
    if not own.others:
        return own, None
    return (
        own,
        f"{own.others} of {own.others + len(own.rows)} routes are for other vendors and were left to them.",
    )


def wishes_of(
    routes: Iterable[Route],
    directory: Directory,
    rules: LinkRules,
    mode_of: Callable[[Route], str] | None = None,
) -> dict[Link, Route]:
    """
    Return the links that the routes ask for, each with the first route that does.

    :param mode_of: Returns the mode of a route; raises :class:`NotNamedError` if there is none.
    :raises RoutesError: If a number is unknown or ambiguous, or if two routes contradict each other.
    """
    found: dict[Link, Route] = {}
    problems: list[str] = []
    for route in routes:
        try:
            number_id = directory.find(route.number, is_id=route.is_id)
            mode = mode_of(route) if mode_of else route.mode or INBOUND
        except NotNamedError as error:
            problems.append(f"{route.place}: {error}")
        else:
            found.setdefault(Link(number_id, route.agent_id, mode), route)
    problems += _contradictions(found, directory, rules)
    if problems:
        raise RoutesError(problems)
    return found


def _clashes(routes: Iterable[Route]) -> list[str]:
    """Return contradictions between routes as written; others show only once the numbers are known."""
    problems = []
    answering: dict[tuple[str, bool | None], Route] = {}
    for route in routes:
        if route.mode != INBOUND:
            continue
        first = answering.setdefault((route.number, route.is_id), route)
        if first.agent_id != route.agent_id:
            agents = f"{agent_label(first.agent_id)}, and to {agent_label(route.agent_id)}"
            problems.append(
                f"{first.place} and {route.place} contradict each other: {clean(route.number)} inbound to "
                f"{agents}, but a number has one inbound agent"
            )
    return problems


def _contradictions(wishes: Mapping[Link, Route], directory: Directory, rules: LinkRules) -> list[str]:
    problems = []
    answering: dict[str, Link] = {}
    calling: dict[str, Link] = {}
    for link, route in wishes.items():
        if link.mode == INBOUND:
            first = answering.setdefault(link.number_id, link)
            verdict = "but a number has one inbound agent"
        elif rules.one_outbound_number:
            first = calling.setdefault(link.agent_id, link)
            verdict = "but an agent has one outbound number"
        else:
            continue
        if first is not link:
            problems.append(
                f"{wishes[first].place} and {route.place} contradict each other: "
                f"{_link_label(first, directory)}, and {_link_label(link, directory)}, {verdict}"
            )
    return problems


def _link_label(link: Link, directory: Directory) -> str:
    return f"{directory.label(link.number_id)} {link.mode} to {agent_label(link.agent_id)}"


def _route(row: Row, rules: LinkRules) -> Route:
    number, is_id = _number(row, rules)
    mode = row.get("mode", rules.default_mode)
    return Route(
        number=number,
        agent_id=arguments.agent_id("agent_id", row["agent_id"]),
        mode=None if mode is None else arguments.choice("mode", mode, rules.modes),
        is_id=is_id,
        place=row.place,
        extra=row.extra,
    )


def _number(row: Row, rules: LinkRules) -> tuple[str, bool | None]:
    key = next(key for key in NUMBER_KEYS if key in row)
    is_id, value = NUMBER_KEYS[key], row[key]
    if is_id:
        check = arguments.uuid if rules.uuids else arguments.opaque_id
        return check(key, value), is_id
    if is_id is None:
        return plain_id(arguments.phone_number(key, arguments.id_as_text(key, value))), is_id
    return arguments.phone_number(key, value), is_id
