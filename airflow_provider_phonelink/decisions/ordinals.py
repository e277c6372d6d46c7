"""A run's ordinal: its position in its schedule. Consecutive runs have consecutive ordinals, whenever they run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Runs are counted from here; earlier runs have negative ordinals. Any moment will do, as long as it never changes.
EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
#: How many runs after a change of the clocks are looked at for one that is in step with the expression again.
_MOST_STEPS = 500


def cron_ordinal(expression: str, zone: tzinfo, moment: datetime) -> int:
    """
    Count the runs of a cron expression from the epoch up to a moment, the moment included.

    Where the clocks are changed, the runs are those that Airflow makes: a schedule with a run in every hour has one
    in both of the hours that are called the same, any other one has it in the second of them, and what falls into
    the hour that is left out comes an hour later.

    :param expression: A cron expression, in croniter's syntax.
    :param zone: The schedule's time zone.
    :param moment: A moment with a time zone.
    """
    cron = _Cron(expression, zone, *sorted((EPOCH, moment)))
    return cron.runs_until(moment) - cron.runs_until(EPOCH)


def delta_ordinal(delta: timedelta, moment: datetime) -> int:
    """
    Count the whole deltas from the epoch up to a moment.

    :param delta: The time between two runs, more than zero.
    """
    return (moment - EPOCH) // delta


@dataclass(frozen=True)
class _Change:
    """The clocks are changed, and some runs are out of step with the expression."""

    at: datetime
    #: The last reading before that can mean one moment only.
    before: datetime
    #: The runs after that, up to the first one after the change that is in step again.
    runs: Sequence[datetime]


class _Cron:
    """
    A cron expression in a time zone, between two moments.

    A *reading* is what a clock on the wall shows when the expression fires. Away from changes of the clocks there
    is one run for each reading, so that counting readings, which is quick, is counting runs.
    """

    def __init__(self, expression: str, zone: tzinfo, first: datetime, last: datetime) -> None:
        from croniter import croniter

        self._cron = croniter(expression)
        self._zone = zone
        minutes, hours, *rest = fields = self._cron.expanded
        self._every_hour = hours == ["*"]  # as Airflow asks
        seconds = rest[3] if len(rest) > 3 else [0]
        self._times = sorted(
            time(*parts) for parts in product(_all(hours, 24), _all(minutes, 60), _all(seconds, 60))
        )
        every_day = all(field == ["*"] for field in [*fields[2:5], *fields[6:]]) and not (
            self._cron.nth_weekday_of_month  # which croniter keeps beside the fields
        )
        start = min(_reading(first, zone), self._before(_reading(first, zone))) - _DAY
        end = _reading(last, zone) + _DAY
        #: The days on which the expression fires, counted as Python counts days.
        self._days: Sequence[int] = (
            range(start.toordinal(), end.toordinal() + 1) if every_day else list(self._firing(start, end))
        )
        self._changes = list(self._changes_between(_run(start, zone), last))

    def runs_until(self, moment: datetime) -> int:
        """Count the runs up to a moment, from one and the same moment on."""
        return self._readings(_reading(moment, self._zone)) + sum(
            self._out_of_step(change, moment) for change in self._changes
        )

    def _readings(self, until: datetime) -> int:
        day = until.toordinal()
        whole_days = bisect_left(self._days, day)
        is_today = whole_days < len(self._days) and self._days[whole_days] == day
        today = bisect_right(self._times, until.time()) if is_today else 0
        return whole_days * len(self._times) + today

    def _out_of_step(self, change: _Change, moment: datetime) -> int:
        """Return how many runs more than readings a change of the clocks has caused until a moment."""
        if moment < change.at:
            return 0
        until = min(moment, change.runs[-1])
        if self._every_hour and until not in change.runs and self._in_step(until):
            # Airflow's runs of every hour depend on the one before. These are of a schedule that began after the
            # change: they are counted back from the first run that is in step either way.
            until = change.runs[-1]
        readings = self._readings(_reading(until, self._zone)) - self._readings(change.before)
        return bisect_right(change.runs, until) - readings

    def _changes_between(self, first: datetime, last: datetime) -> Iterator[_Change]:
        covered_until = first
        for at in _clock_changes(self._zone, first, last):
            if at >= covered_until:  # else no run was in step between two changes
                change = self._change(at)
                covered_until = change.runs[-1]
                yield change

    def _change(self, at: datetime) -> _Change:
        before = self._before(min(_reading(at - _SECOND, self._zone) + _SECOND, _reading(at, self._zone)))
        run = _run(before, self._zone)
        runs: list[datetime] = []
        while len(runs) < _MOST_STEPS:
            run = self._run_after(run)
            runs.append(run)
            if run >= at and self._in_step(run):
                break
        return _Change(at, before, runs)

    def _in_step(self, run: datetime) -> bool:
        """Return whether the expression fires at what the clock shows then."""
        reading = _reading(run, self._zone)
        return self._after(reading - _SECOND) == reading

    def _run_after(self, run: datetime) -> datetime:
        """Return the run after a run, as Airflow's timetables do."""
        reading = _reading(run, self._zone)
        following = self._after(reading)
        return run + (following - reading) if self._every_hour else _run(following, self._zone)

    def _firing(self, start: datetime, end: datetime) -> Iterator[int]:
        while (start := self._after(start)) <= end:
            yield start.toordinal()
            start = datetime.combine(start.date(), time(23, 59, 59))

    def _after(self, reading: datetime) -> datetime:
        self._cron.set_current(reading)
        following: datetime = self._cron.get_next(datetime)
        return following

    def _before(self, reading: datetime) -> datetime:
        self._cron.set_current(reading)
        previous: datetime = self._cron.get_prev(datetime)
        return previous


def _all(field: Sequence[int | str], size: int) -> list[int]:
    return list(range(size)) if "*" in field else [int(value) for value in field]


def _reading(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _run(reading: datetime, zone: tzinfo) -> datetime:
    """Return when a reading's run is: the later one of two, and later if the clocks skip the reading."""
    before, after = (_offset(reading.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    return (reading - min(before, after)).replace(tzinfo=timezone.utc)


def _clock_changes(zone: tzinfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Find the moments at which a zone's offset changes, to the second."""
    day = first
    offset = _offset(day.astimezone(zone))
    while day < last:
        next_day = day + _DAY
        if (next_offset := _offset(next_day.astimezone(zone))) != offset:
            yield _first_with(next_offset, zone, day, next_day)
        day, offset = next_day, next_offset


def _first_with(offset: timedelta, zone: tzinfo, before: datetime, after: datetime) -> datetime:
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if _offset(middle.astimezone(zone)) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
