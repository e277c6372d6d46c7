"""What rows may contain, and rows with their places, so that a message can name both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_phonelink.api import arguments, templates
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import as_text, listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")
#: Columns and keys that anybody may add.
EXTRA_PREFIX = "x_"
#: How many places a message names for one problem.
_MOST_PLACES = 3


@dataclass(frozen=True)
class Columns:
    """
    The names of the columns of a table, or of the keys of a row in YAML, JSON or plain data.

    :param item: What a row describes, such as ``route``; ``routes`` is then the key of a list of rows.
    :param required: For each required value, its possible names; a row uses one of them.
    :param optional: The names of optional values.
    :param extra: Further names, whose values are passed on unchanged. So are those of names that begin with ``x_``.
    """

    item: str
    required: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that have a meaning here."""
        return (*(name for names in self.required for name in names), *self.optional)

    def knows(self, name: object) -> bool:
        """Return whether a column may have this name."""
        return isinstance(name, str) and (name in self.names or self.hands_on(name))

    def hands_on(self, name: object) -> bool:
        """Return whether the values of a column are passed on unchanged."""
        return isinstance(name, str) and (name in self.extra or name.startswith(EXTRA_PREFIX))

    def with_extra(self, value: object) -> Columns:
        """
        Return these columns and further ones.

        :param value: None or an empty list, or names: a list, or text such as ``"team, campaign"``.
        :raises InvalidArgumentError: If it is anything else, or if a name has a meaning already.
        """
        if value is None or (isinstance(value, (list, tuple)) and not value):
            return self
        names = templates.names("extra_columns", value)
        for name in names:
            if name in self.names or name.startswith("_"):
                raise InvalidArgumentError("extra_columns", f"{shown(name)} cannot be the name of one.")
        return replace(self, extra=names)


class Row(dict[str, Any]):
    """The values of a row, by name, without empty ones."""

    #: Where the row is, such as ``route 3 (line 7)``.
    place: str
    #: The values of extra columns.
    extra: dict[str, Any]

    def __init__(self, values: Mapping[str, Any], columns: Columns, place: str) -> None:
        given = {name: value for name, value in values.items() if not _is_nothing(value)}
        super().__init__((name, value) for name, value in given.items() if not columns.hands_on(name))
        self.extra = {name: value for name, value in given.items() if columns.hands_on(name)}
        self.place = place


class Problems:
    """Problems, each with the places where it occurs."""

    def __init__(self, earlier: Problems | None = None) -> None:
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        for problem, places in earlier._places.items() if earlier else ():
            self._places[problem] += places

    def add(self, problem: str, place: str = "") -> None:
        """Add a problem, or a further place of it."""
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
    """Rows as they were read. Problems are raised when the rows are used."""

    rows: tuple[Row, ...]
    columns: Columns
    #: The argument that the rows come from, and the file, if there is one.
    argument: str
    where: str | None = None
    problems: Problems | None = None
    #: Required columns that a table lacks, which the problems name already.
    missing: tuple[str, ...] = ()
    #: Whether an empty result was written down as such, rather than nothing having been found.
    none_is_said: bool = True
    #: How many rows belong to others.
    others: int = 0

    def chosen(self, column: str, value: str, choices: Collection[str]) -> Rows:
        """
        Return the rows with a given value in a column; all rows, if none has any value there.

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
            elif as_text(said).lower() not in choices:
                problems.add(f"{column}: {shown(said)} is not one of {', '.join(choices)}", row.place)
            elif as_text(said).lower() == value:
                kept.append(row)
        others = sum(as_text(row.get(column)).lower() in {*choices} - {value} for row in self.rows)
        said_so = self.none_is_said and not others
        return replace(self, rows=tuple(kept), problems=problems, others=others, none_is_said=said_so)

    def each(self, parse: Callable[[Row], T], *, removing: bool = False) -> list[T]:
        """
        Return what each row stands for.

        :param parse: Returns what a row stands for; raises InvalidArgumentError if the row cannot be used.
        :param removing: Whether things are removed because no row mentions them. Then a table that lost its rows is
            refused, instead of being read as one that asks for nothing.
        :raises InvalidArgumentError: If anything is wrong; the message names everything that is.
        """
        problems = [*(self.problems or ())]
        found: list[T] = []
        for row in self.rows:
            item, wrong = self._one(row, parse)
            found += item
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

    def each_apart(self, parse: Callable[[Row], T]) -> list[tuple[Row, T | str]]:
        """
        Return what each row stands for, or what is wrong with it: a row that cannot be used does not stop the others.

        :param parse: Returns what a row stands for; raises InvalidArgumentError if the row cannot be used.
        :raises InvalidArgumentError: If the rows as a whole cannot be used, such as for a column without a meaning.
        """
        if self.problems:
            raise self.error(listed(dict.fromkeys(self.problems)))
        found: list[tuple[Row, T | str]] = []
        for row in self.rows:
            item, wrong = self._one(row, parse)
            found.append((row, item[0] if item else listed(wrong)))
        return found

    def _one(self, row: Row, parse: Callable[[Row], T]) -> tuple[list[T], list[str]]:
        """Return what a row stands for, if it can be used, and what is wrong with it."""
        wrong = [f"{row.place}, {problem}" for problem in self._missing(row)]
        try:
            if not wrong and not self.missing:
                return [parse(row)], []
        except InvalidArgumentError as error:
            wrong = [f"{row.place}, {error.argument}: {error.problem.rstrip('.')}"]
        return [], wrong

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
    Return plain data as rows: a list or another iterable, with a mapping for each row; or a mapping with such a list.

    Something without items that is no list, such as a table or a set, may have lost them: it does not say "none".

    :raises InvalidArgumentError: If it is nothing such.
    """
    if isinstance(items, Rows):
        return items
    problems, rows = Problems(), []
    listed_ones = list_in(items, columns, problems) if isinstance(items, Mapping) else items
    found = None if isinstance(listed_ones, (str, bytes, Mapping)) else arguments.items_of(listed_ones)
    if found is None:
        raise InvalidArgumentError(argument, f"{shown(items)} is not a list of {columns.item}s.")
    for position, item in enumerate(found, 1):
        place = f"{columns.item} {position}"
        row = row_of(item, columns, place, problems)
        if row is not None:
            rows.append(row)
    none_is_said = isinstance(listed_ones, (list, tuple))
    return Rows(tuple(rows), columns, argument, problems=problems, none_is_said=none_is_said)


def list_in(mapping: Mapping[Any, Any], columns: Columns, problems: Problems) -> Any:
    """Return what a mapping has as the list of rows, such as ``routes``, and add problems for what is beside it."""
    key = f"{columns.item}s"
    for name in mapping:
        if not isinstance(name, str) or (name not in (key, "version") and not name.startswith("x-")):
            problems.add(f"{shown(name)} beside {key} is not known; only version and names with x- are")
    return mapping.get(key)


def row_of(item: object, columns: Columns, place: str, problems: Problems) -> Row | None:
    """Return a row, and add problems for what it must not contain; None if it is not a mapping."""
    if not isinstance(item, Mapping):
        problems.add(f"is {type(item).__name__}, not a mapping", place)
        return None
    for name in item:
        if not columns.knows(name):
            problems.add(unknown(name, columns), place)
    for name, value in item.items():
        if columns.hands_on(name) and not isinstance(value, (str, int, float, bool, type(None))):
            problems.add(f"{shown(name)} is {type(value).__name__}, and an extra column holds text", place)
    return Row({as_text(name): value for name, value in item.items()}, columns, place)


def unknown(name: object, columns: Columns) -> str:
    """Return the problem of a name that has no meaning here."""
    return f"{shown(name)} is not known; a {columns.item} has {', '.join(columns.names)}"


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _one_of(names: tuple[str, ...]) -> str:
    return f"; give one of {', '.join(names)}" if len(names) > 1 else ""
