from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from croniter import CroniterBadCronError, CroniterBadDateError, croniter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.ordinals import EPOCH, cron_ordinal, delta_ordinal

if TYPE_CHECKING:
    from collections.abc import Sequence

UTC = ZoneInfo("UTC")
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "America/Santiago")
DAY = timedelta(days=1)


def runs_of(
    expression: str, zone: str, start: datetime, count: int, until: datetime | None = None
) -> Sequence[datetime]:
    """The moments at which Airflow runs a schedule, told by Airflow itself."""
    from airflow.timetables._cron import CronMixin
    from pendulum import instance

    timetable = CronMixin(expression, zone)
    runs = [timetable._get_next(instance(start))]
    while len(runs) < count and (until is None or runs[-1] < until):
        runs.append(timetable._get_next(runs[-1]))
    return runs[1:]  # the first step may start out of step


def ordinals_of(expression: str, zone: str, runs: Sequence[datetime]) -> list[int]:
    return [cron_ordinal(expression, ZoneInfo(zone), run) for run in runs]


def fields(low: int, high: int, *names: str) -> st.SearchStrategy[str]:
    one = st.integers(low, high).map(str)
    parts = st.one_of(one, st.tuples(one, one).map(sorted).map("-".join), *map(st.just, names))
    steps = st.integers(1, high).map("*/{}".format)
    return st.one_of(st.just("*"), steps, st.lists(parts, min_size=1, max_size=3).map(",".join))


def is_a_schedule(expression: str) -> bool:
    """Not all combinations of what a field may say are one, and 30 February is never."""
    try:
        croniter(expression, datetime(2020, 1, 1)).get_next()
    except (CroniterBadCronError, CroniterBadDateError):
        return False
    return True


EXPRESSIONS = st.one_of(
    st.tuples(
        fields(0, 59),
        fields(0, 23),
        fields(1, 28, "L", "*/2"),
        fields(1, 12, "JAN", "mar-may"),
        fields(0, 6, "MON-FRI", "sun", "fri#2", "L5"),
    )
    .map(" ".join)
    .filter(is_a_schedule),
    st.sampled_from(["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"]),
)


@settings(max_examples=settings.default.max_examples // 2)
@given(
    EXPRESSIONS,
    st.sampled_from(["UTC", "Asia/Kolkata"]),
    st.datetimes(datetime(2017, 1, 1), datetime(2023, 1, 1), timezones=st.just(timezone.utc)),
)
@example("0 0 * * *", "UTC", EPOCH - 5 * DAY)
@example("0 0 L * *", "UTC", EPOCH - 100 * DAY)
@example("0 0 29 2 *", "UTC", EPOCH)
@example("30 6 1,15 * MON-FRI", "UTC", EPOCH)
@example("0 0 * * * 30", "UTC", EPOCH)
@example("*/20 * * * 1-1,fri#2", "UTC", EPOCH)
@example("* * * * * */20", "UTC", EPOCH - timedelta(seconds=50))
def test_consecutive_runs_have_consecutive_ordinals(expression: str, zone: str, start: datetime) -> None:
    assume(is_a_schedule(expression))  # older croniters take less
    ordinals = ordinals_of(expression, zone, runs_of(expression, zone, start, 8))
    assert ordinals == list(range(ordinals[0], ordinals[0] + 7)), (expression, zone, str(start))


@settings(max_examples=settings.default.max_examples // 2)
@given(
    EXPRESSIONS,
    st.sampled_from(ZONES),
    st.sampled_from([2018, 2019, 2021]),
    st.integers(0, 365),
    st.integers(0, 24 * 60),
)
@example("* * * */3 *", "America/New_York", 2021, 72, 420)  # no run between the change and a new beginning
def test_ordinals_are_consecutive_wherever_clocks_are_changed(expression, zone, year, day, minute) -> None:
    start = datetime(year, 1, 1, tzinfo=timezone.utc) + timedelta(days=day, minutes=minute)
    ordinals = ordinals_of(expression, zone, runs_of(expression, zone, start, 8))
    assert ordinals == list(range(ordinals[0], ordinals[0] + 7)), (expression, zone, str(start))


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Zurich", "2021-03-28"),
        ("Europe/Zurich", "2021-10-31"),
        ("America/New_York", "2019-03-10"),
        ("America/New_York", "2019-11-03"),
        ("America/Santiago", "2021-04-04"),  # at midnight
        ("America/Santiago", "2021-09-05"),
        ("Australia/Lord_Howe", "2021-04-04"),  # by half an hour
        ("Australia/Lord_Howe", "2021-10-03"),
    ],
)
@pytest.mark.parametrize(
    "expression",
    [
        "0 * * * *",
        "*/20 * * * *",
        "30 2 * * *",
        "15,45 1-3 * * *",
        "30 2,3 * * *",
        "0 */2 * * *",
        "0 3 * * *",
        "30 * * * SUN",
        "10 * * * MON",
        "0 0 * * *",
        "45 23 * * *",
    ],
)
def test_the_days_on_which_clocks_are_changed(expression: str, zone: str, change: str) -> None:
    day = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo(zone))
    start = (day - 7 * DAY).astimezone(timezone.utc)
    until = day + 9 * DAY
    runs = [run for run in runs_of(expression, zone, start, 1000, until) if day - 2 * DAY < run < until]
    assert len(runs) > 1
    after = next(n for n, run in enumerate(runs) if run >= day)
    few = runs[max(after - 3, 0) : after + 5]
    near = (few if len(runs) < 50 else [run for run in runs if day - DAY / 12 < run < day + DAY / 4]) + runs[
        -1:
    ]
    ordinals = ordinals_of(expression, zone, near)
    places = [runs.index(run) for run in near]
    assert [ordinal - ordinals[0] for ordinal in ordinals] == [place - places[0] for place in places]


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
    st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1), timezones=st.just(timezone.utc)),
)
def test_runs_a_delta_apart_have_consecutive_ordinals(delta: timedelta, start: datetime) -> None:
    ordinals = [delta_ordinal(delta, start + n * delta) for n in range(5)]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 5))


def test_an_ordinal_does_not_depend_on_now(monkeypatch) -> None:
    moment = datetime(2026, 3, 29, 6, tzinfo=timezone.utc)
    found = cron_ordinal("0 6 * * MON-FRI", UTC, moment)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert cron_ordinal("0 6 * * MON-FRI", UTC, moment) == found


def test_ordinals_stay_what_they_are() -> None:
    """A release that counts otherwise would let a run pick another number when it is cleared."""
    moment = datetime(2026, 3, 29, 6, tzinfo=timezone.utc)
    known = {"0 6 * * *": 2280, "@hourly": 54702, "0 6 * * MON-FRI": 1628, "0 0 L * *": 74}
    assert {expression: cron_ordinal(expression, UTC, moment) for expression in known} == known
    assert cron_ordinal("0 6 * * *", UTC, EPOCH) == 0
    assert cron_ordinal("0 6 * * *", UTC, EPOCH - DAY) == -1


@pytest.mark.parametrize("expression", ["0 6 * * MON-FRI", "*/5 * * * *"])
def test_runs_are_counted_without_stepping_through_them(monkeypatch, expression: str) -> None:
    steps = 0

    def counted(self: croniter, *arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        return step(self, *arguments)

    step = croniter.get_next
    monkeypatch.setattr(croniter, "get_next", counted)
    end = datetime(2036, 1, 1, tzinfo=timezone.utc)
    assert cron_ordinal(expression, ZoneInfo("Europe/Zurich"), end) > 4000
    assert steps < (end - EPOCH).days
