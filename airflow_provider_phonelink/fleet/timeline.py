"""The time line of a number or an agent: where its bars are in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_phonelink.fleet.changes import Lane, Span

WIDTH = 720
LANE_HEIGHT = 26
#: The most lanes that are drawn: those that are there, then those that ended last.
MOST_LANES = 12
#: What is shorter is drawn with this width, so that it can be seen.
_LEAST = 3.0
#: How much of the width is before the first known change.
_BEFORE = 0.06

_UNTIL = {"now": "to now", "found": "to now", "lost": "until somebody else ended it"}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A span in the picture, in its units."""

    x: float
    width: float
    #: The span's.
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A picture: lanes below each other, time from left to right."""

    lanes: tuple[tuple[str, tuple[Bar, ...]], ...]
    begin: datetime
    end: datetime

    @property
    def height(self) -> int:
        """The height of all lanes."""
        return len(self.lanes) * LANE_HEIGHT


def timeline_of(spans: Sequence[Span], now: datetime, label: Callable[[Lane], str]) -> Timeline | None:
    """
    Return the picture of some spans; None if no change is known, so that there is nothing to tell.

    :param label: What people call a lane.
    """
    moments = [moment for span in spans for moment in (span.begin, span.end) if moment]
    if not moments:
        return None
    length = max(now - min(moments), timedelta(seconds=1)) / (1 - _BEFORE)
    # Times are before the first year of all, if somebody who corrected a memory left out three digits.
    begin = now - min(length, now - datetime.min.replace(tzinfo=timezone.utc))
    lanes: dict[Lane, list[Bar]] = {}
    last: dict[Lane, tuple[datetime, bool]] = {}
    for span in sorted(spans, key=lambda span: span.begin or begin):
        lanes.setdefault(span.lane, []).append(_bar(span, begin, now))
        ends = (span.end or now, span.kind in ("now", "found"))
        last[span.lane] = max(last.get(span.lane, ends), ends)
    shown = sorted(lanes, key=last.__getitem__)[-MOST_LANES:]
    return Timeline(
        lanes=tuple((label(lane), tuple(bars)) for lane, bars in lanes.items() if lane in shown),
        begin=begin,
        end=now,
    )


def _bar(span: Span, begin: datetime, now: datetime) -> Bar:
    def place(moment: datetime | None, otherwise: float) -> float:
        return WIDTH * ((moment - begin) / (now - begin)) if moment else otherwise

    left, right = place(span.begin, 0.0), place(span.end, float(WIDTH))
    width = max(right - left, _LEAST)
    since = f"from {span.begin:%Y-%m-%d %H:%M}" if span.begin else "from before what is known"
    if span.kind == "found":
        since = "by somebody else, at some time " + since
    until = f"to {span.end:%Y-%m-%d %H:%M}" if span.end else _UNTIL[span.kind]
    return Bar(
        x=round(min(left, WIDTH - width), 1), width=round(width, 1), kind=span.kind, text=f"{since} {until}"
    )
