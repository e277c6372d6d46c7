"""What rows may say, and rows with their places, so that a message can name both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")
#: Columns and keys that everybody may add.
EXTRA_PREFIX = "x_"
#: Places that a message names for one problem.
_MOST_PLACES = 3


@dataclass(frozen=True)
class Columns:
    """
    What the columns of a table, or the keys of a row in YAML, JSON or plain data, are called.

    :param item: What a row is, such as ``route``; ``routes`` is the key above a list of them.
    :param required: For each thing that a row has to say, the names it goes by; a row uses one of them.
    :param optional: What a row may say.
    :param extra: Further names, whose content is handed on as it is. Names that begin with ``x_`` always are.
    """

    item: str
    required: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that mean something here."""
        return (*(name for names in self.required for name in names), *self.optional)

    def knows(self, name: object) -> bool:
        """Return whether a column may be called so."""
        return name in self.names or self.hands_on(name)

    def hands_on(self, name: object) -> bool:
        """Return whether what a column says is handed on as it is."""
        return name in self.extra or (isinstance(name, str) and name.startswith(EXTRA_PREFIX))

    def with_extra(self, value: object) -> Columns:
        """
        Return these columns and further ones.

        :param value: None or an empty list, or names: a list, or text such as ``"team, campaign"``.
        :raises InvalidArgumentError: If it is anything else, or a name that means something already.
        """
        if value is None or value in ((), []):
            return self
        names = arguments.names("extra_columns", value)
        for name in names:
            if name in self.names or name.startswith("_"):
                raise InvalidArgumentError("extra_columns", f"{shown(name)} cannot be the name of one.")
        return replace(self, extra=names)


class Row(dict[str, Any]):
    """What a row says, by name; what it leaves empty is not in it."""

    #: Where it stands, such as ``route 3 (line 7)``.
    place: str
    #: What it says in extra columns.
    extra: dict[str, Any]

    def __init__(self, values: Mapping[str, Any], columns: Columns, place: str) -> None:
        given = {name: value for name, value in values.items() if value not in (None, "")}
        super().__init__((name, value) for name, value in given.items() if not columns.hands_on(name))
        self.extra = {name: value for name, value in given.items() if columns.hands_on(name)}
        self.place = place


class Problems:
    """What is wrong, each said once, with the places where it is so."""

    def __init__(self, earlier: Problems | None = None) -> None:
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        for problem, places in earlier._places.items() if earlier else ():
            self._places[problem] += places

    def add(self, problem: str, place: str = "") -> None:
        """Note a problem."""
        self._places[problem].append(place)

    def __bool__(self) -> bool:
        return bool(self._places)

    def __iter__(self) -> Any:
        for problem, places in self._places.items():
            named = [*filter(None, places)]
            more = f" and {len(named) - _MOST_PLACES} more" if len(named) > _MOST_PLACES else ""
            yield f"{', '.join(named[:_MOST_PLACES])}{more}: {problem}" if named else problem


@dataclass(frozen=True)
class Rows:
    """Rows as they were read. What is wrong with them is raised when they are used."""

    rows: tuple[Row, ...]
    columns: Columns
    #: The argument that they came by, and the file, if it was one.
    argument: str
    where: str | None = None
    problems: Problems | None = None
    #: Names without which a table cannot say what is required, and which are said to be missing already.
    missing: tuple[str, ...] = ()
    #: Whether it is written down that there are none, and not just nothing found.
    none_is_said: bool = True
    #: How many rows were left to others.
    others: int = 0

    def chosen(self, column: str, value: str, choices: Collection[str]) -> Rows:
        """
        Return the rows that have a value in a column; all, if no row has anything there.

        :param value: One of ``choices``, which are in lower case.
        """
        if not any(column in row for row in self.rows):
            return self
        problems = Problems(self.problems)
        kept = []
        for row in self.rows:
            said = row.get(column)
            if said is None:
                problems.add(f"{column}: is missing here and named elsewhere", row.place)
            elif str(said).lower() not in choices:
                problems.add(f"{column}: {shown(said)} is not one of {', '.join(choices)}", row.place)
            elif str(said).lower() == value:
                kept.append(row)
        others = sum(str(row.get(column)).lower() in {*choices} - {value} for row in self.rows)
        said_so = self.none_is_said and not others
        return replace(self, rows=tuple(kept), problems=problems, others=others, none_is_said=said_so)

    def each(self, parse: Callable[[Row], T], *, removing: bool = False) -> list[T]:
        """
        Return what each row means.

        :param parse: Returns what a row means; raises InvalidArgumentError if it means nothing.
        :param removing: Whether things are removed because no row mentions them, so that a table which lost its rows
            is not taken for one that wants nothing.
        :raises InvalidArgumentError: If anything is wrong, with all that is.
        """
        problems = [*(self.problems or ())]
        found: list[T] = []
        for row in self.rows:
            wrong = [f"{row.place}, {problem}" for problem in self._missing(row)]
            try:
                if not wrong and not self.missing:
                    found.append(parse(row))
            except InvalidArgumentError as error:
                wrong = [f"{row.place}, {error.argument}: {error.problem.rstrip('.')}"]
            problems += wrong
        if not problems and not self.rows and removing and not self.none_is_said:
            which = (
                f"only {self.columns.item}s of others" if self.others else f"no {self.columns.item}s in it"
            )
            raise self.error(
                f"has {which}, and nothing is removed for that; write [] in YAML or JSON if none are meant"
            )
        if problems:
            raise self.error(listed(dict.fromkeys(problems)))
        return found

    def error(self, problem: str) -> InvalidArgumentError:
        """Return the error for a problem of these rows."""
        return InvalidArgumentError(
            self.argument, f"{self.where}: {problem}." if self.where else f"{problem}."
        )

    def _missing(self, row: Row) -> Iterable[str]:
        for names in self.columns.required:
            given = [name for name in names if name in row]
            if len(given) > 1:
                yield f"{names[0]}: is named twice, by {' and '.join(given)}"
            elif not given and names[0] not in self.missing:
                yield f"{names[0]}: is missing{_one_of(names)}"


def rows_of(items: object, columns: Columns, argument: str) -> Rows:
    """
    Return plain data as rows: a list, or anything like one, with a mapping for each row.

    :raises InvalidArgumentError: If it is no list.
    """
    if isinstance(items, Rows):
        return items
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise InvalidArgumentError(argument, f"{shown(items)} is not a list of {columns.item}s.")
    problems, rows = Problems(), []
    for position, item in enumerate(items, 1):
        place = f"{columns.item} {position}"
        row = row_of(item, columns, place, problems)
        if row is not None:
            rows.append(row)
    return Rows(tuple(rows), columns, argument, problems=problems)


def row_of(item: object, columns: Columns, place: str, problems: Problems) -> Row | None:
    """Return a row, and note what it should not say; None if it is no mapping."""
    if not isinstance(item, Mapping):
        problems.add(f"is {type(item).__name__}, not a mapping", place)
        return None
    for name in item:
        if not columns.knows(name):
            problems.add(unknown(name, columns), place)
    for name, value in item.items():
        if columns.hands_on(name) and not isinstance(value, (str, int, float, bool, type(None))):
            problems.add(f"{shown(name)} is {type(value).__name__}, and an extra column holds text", place)
    return Row({str(name): value for name, value in item.items()}, columns, place)


def unknown(name: object, columns: Columns) -> str:
    """Return the problem with a name that means nothing here."""
    return f"{shown(name)} is not known; a {columns.item} has {', '.join(columns.names)}"


def _one_of(names: tuple[str, ...]) -> str:
    return f"; give one of {', '.join(names)}" if len(names) > 1 else ""
