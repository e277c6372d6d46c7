"""Print results and, on a terminal, progress."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean, visible
from airflow_provider_phonelink.files.sources import reason_of
from airflow_provider_phonelink.files.whole import write_whole
from airflow_provider_phonelink.files.writing import as_csv, as_json, as_yaml, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_STYLES = {"+": "green", "-": "red", "~": "yellow"}
#: Where results go while everything else goes to the error output.
_results: list[TextIO] = []


@contextmanager
def only_results_on_stdout() -> Iterator[None]:
    """Keep everything but results out of the standard output; Airflow 3.0 writes log lines to it."""
    _results.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
        _results[-1].flush()
    finally:
        _results.pop()


def results() -> TextIO:
    """Return where results go."""
    return _results[-1] if _results else sys.stdout


def say(text: str, end: str = "\n") -> None:
    """Print a result."""
    print(text, end=end, file=results())


def warn(text: str) -> None:
    """Print what somebody should know beside the result."""
    print(f"phonelink: {visible(text)}", file=sys.stderr)


def write_file(path: str, text: str) -> None:
    """
    Write a result to a file, whole or not at all, or to a stream or device.

    :raises InvalidArgumentError: If it cannot be written.
    """
    results().flush()  # what the file may be, too
    try:
        write_whole(Path(path), text.encode())
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(
            "--out", f"{clean(path)} cannot be written ({reason_of(error)})."
        ) from None


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str) -> None:
    """
    Print rows.

    :param form: ``table``, ``json``, ``yaml`` or ``csv``.
    """
    if form == "table":
        _print_table(rows, columns)
    elif form == "csv":
        say(as_csv(rows, columns), end="")
    else:
        print_document([{column: row.get(column) for column in columns} for row in rows], form)


def print_document(document: Any, form: str) -> None:
    """
    Print plain data.

    :param form: ``json`` or ``yaml``.
    """
    say(as_json(document) if form == "json" else as_yaml(document), end="")


def print_diff(lines: Sequence[str]) -> None:
    """Print a plan for people, in colours on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=results(), highlight=False)
    for line in lines:
        console.print(Text(visible(line), style=_STYLES[line[0]]), soft_wrap=True)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """
    Show progress on the error output if that is a terminal; otherwise show nothing.

    :param total: How many pieces there are; None if that is unknown.
    :return: A function to call, with any arguments, when a piece is done.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda *_: bar.advance(task)


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(visible(plain(row.get(column)))) for column in columns))
    # Another reader than a terminal needs whole lines.
    Console(file=results(), width=None if results().isatty() else 10_000).print(table)
