"""Rows in tables: CSV as spreadsheets of all countries write it, with commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_phonelink.api.text import trimmed
from airflow_provider_phonelink.files.cells import text_of
from airflow_provider_phonelink.files.columns import Problems, Row, Rows, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_phonelink.files.columns import Columns

_DELIMITERS = (",", ";", "\t")
#: A first line that tells a spreadsheet the delimiter, and the delimiters that one adds which saves it as a row.
_DELIMITER_LINE = re.compile(
    r'(?:[\s,;]*[\r\n])?"?sep=(?P<told>[^"\r\n])"?(?P<saved>(?:(?P=told)|[,;\t ])*)(?:\r\n|\r|\n|$)',
    re.IGNORECASE,
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]+")
#: A whole cell that can name a number: a phone number, or a uuid.
_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]{5,}[0-9]|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _Line(NamedTuple):
    """The cells of a line, and the line's number in the file, from 1."""

    number: int
    cells: list[str]


def read_table(text: str, columns: Columns, *, argument: str, where: str) -> Rows:
    """
    Return the rows of a table. Lines and columns that are wholly empty do not count.

    :param text: The table: a line with the names of the columns, and a line for each row.
    :raises ValueError: If it is not a table.
    """
    lines = [line for line in _lines(text, columns) if any(line.cells)]
    if not lines:
        raise ValueError("the line with the names of the columns is missing")
    header, *rest = lines
    names = header.cells
    problems = Problems()
    missing = _check_names(names, columns, rest, problems)
    _check_lines(names, rest, problems)
    return Rows(
        tuple(
            Row(
                {name: cell for name, cell in zip(names, line.cells, strict=False) if columns.knows(name)},
                columns,
                f"{columns.item} {position} (line {line.number})",
            )
            for position, line in enumerate(rest, 1)
        ),
        columns,
        argument,
        where,
        problems,
        missing,
        none_is_said=False,
    )


def _check_names(
    names: list[str], columns: Columns, lines: list[_Line], problems: Problems
) -> tuple[str, ...]:
    """Add the problems of the columns, and return the required ones that are missing."""
    for position, name in enumerate(names, 1):
        if not name:
            if any(line.cells[position - 1 : position] not in ([], [""]) for line in lines):
                problems.add(f"column {position} has no name")
        elif not columns.knows(name):
            problems.add(f"column {position}, {unknown(name, columns)}")
        elif name in names[: position - 1]:
            problems.add(f"columns {names.index(name) + 1} and {position} are both called {name}")
    missing = [group for group in columns.required if not set(group) & set(names)]
    for group in missing:
        problems.add(f"there is no column {' or '.join(group)}")
    return tuple(group[0] for group in missing)


def _check_lines(names: list[str], lines: list[_Line], problems: Problems) -> None:
    """Add the problems of lines that do not fit to the names of the columns."""
    for line in lines:
        if any(line.cells[len(names) :]):
            problems.add("has more cells than there are columns", f"line {line.number}")
        if line.cells[: len(names)] == names:
            problems.add("repeats the names of the columns", f"line {line.number}")
        elif len(line.cells) == 1 < len(names) and _is_a_line(line.cells[0]):
            problems.add("is separated otherwise than the names of the columns", f"line {line.number}")


def _is_a_line(cell: str) -> bool:
    """Return whether the only cell of a line looks like several; ``;ext=5`` is part of a phone number."""
    return any(
        delimiter in cell and "=" not in cell.partition(delimiter)[2] for delimiter in (*_DELIMITERS, "|")
    )


def _lines(text: str, columns: Columns) -> Iterator[_Line]:
    told = _DELIMITER_LINE.match(text)
    skipped = told[0] if told else ""
    delimiter = (told["saved"].strip(" ")[:1] or told["told"]) if told else _delimiter(text, columns)
    reader = csv.reader(
        io.StringIO(text[len(skipped) :], newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    before = len(_LINE_END.findall(skipped))
    try:
        number = 1
        for cells in reader:
            if any(_has_rows_in(cell, delimiter, len(cells)) for cell in cells):
                raise ValueError(
                    f"lines {before + number} to {before + reader.line_num}: a quotation mark opens in the first and "
                    "closes in the last of them, and what is between looks like rows"
                )
            yield _Line(before + number, [text_of(cell) for cell in cells])
            number = reader.line_num + 1
    except csv.Error as error:
        endless = str(error).startswith(("unexpected end", "field larger"))
        problem = "a quotation mark in it is never closed" if endless else error
        raise ValueError(f"line {before + number}: {problem}") from None


def _has_rows_in(cell: str, delimiter: str, columns: int) -> bool:
    """Return whether a cell has swallowed rows, which have as many cells as others and name a number in one of them."""
    lines = [line.split(delimiter) for line in _LINE_END.split(cell)[1:]]
    return any(
        len(cells) == max(columns, 2) and any(map(_NUMBER.fullmatch, map(text_of, cells))) for cells in lines
    )


def _delimiter(text: str, columns: Columns) -> str:
    """Return the delimiter: what separates the known names in the first line that is not empty."""

    def known_names(delimiter: str) -> tuple[int, int]:
        names = [trimmed(name).strip('"') for name in first.split(delimiter)]
        return sum(map(columns.knows, names)), len(names)

    lines = (match[0] for match in _LINE.finditer(text))
    first = next((line for line in lines if trimmed(line).strip("".join(_DELIMITERS) + '" ')), "")
    return max(_DELIMITERS, key=known_names)
