"""How the vendors' answers are written: JSON kept as long as it stays true (a page is then a join), and times."""

from __future__ import annotations

from datetime import datetime, timezone
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Record = TypeVar("Record")
MOST_KEPT = 200_000
"""Deleted records are never asked for again, so what is kept is thrown away now and then."""


class Fragments(Generic[Record]):
    """
    The JSON text of records by id.

    :param render: makes a record's JSON, and says until when it holds (see `registration.Status.changes_at`).
    """

    def __init__(self, render: Callable[[Record], tuple[bytes, float]]) -> None:
        self._render = render
        self._kept: dict[str, tuple[Record, float, bytes]] = {}
        self._style: Hashable = None

    def of(self, record: Record, now: float = -inf) -> bytes:
        """Return a record's JSON, made anew if the record is another one or the time has passed."""
        id_ = record.id  # type: ignore[attr-defined]
        kept = self._kept.get(id_)
        if kept is not None and kept[0] is record and now < kept[1]:
            return kept[2]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        text, until = self._render(record)
        self._kept[id_] = record, until, text
        return text

    def keep_style(self, style: Hashable) -> None:
        """Forget everything if records are written differently from now on."""
        if style != self._style:
            self._kept.clear()
            self._style = style


def array(fragments: list[bytes]) -> bytes:
    """Return a JSON array of JSON texts."""
    return b"[" + b",".join(fragments) + b"]"


def without_none(document: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without its nulls."""
    return {name: value for name, value in document.items() if value is not None}


def timestamp(seconds: float, style: str = "seconds") -> str:
    """Return a time in one of the notations of the switch `dasha_timestamps`."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    text = moment.isoformat(timespec="seconds").removesuffix("+00:00")
    if style == "seven_digits":
        # .NET counts in units of 100 ns, one digit finer than Python.
        return f"{text}.{moment.microsecond:06d}0Z"
    return f"{text}+00:00" if style == "offset" else f"{text}Z"
