from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.api import faults
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.patience import PAUSES, patiently, until

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow

CALL = endpoints.get_number(number_id(1))


def test_ten_seconds_in_all() -> None:
    assert sum(PAUSES) == 10


@pytest.mark.parametrize("misses", [0, 1, len(PAUSES)])
def test_what_is_not_there_yet_is_asked_for_again(carry_out, clock, misses) -> None:
    vendor = FakeDasha(number_json(1))
    for _ in range(misses):
        vendor.on("GET", CALL.path, faults.status(404))
    assert carry_out(patiently(CALL), vendor=vendor).id == number_id(1)
    assert clock.slept == list(PAUSES[:misses])


def test_what_never_comes_is_not_there(carry_out, clock) -> None:
    with pytest.raises(errors.NotFoundError):
        carry_out(patiently(CALL), vendor=FakeDasha())
    assert sum(clock.slept) == 10


def test_another_error_is_not_waited_for(carry_out, clock) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", CALL.path, faults.status(403))
    with pytest.raises(errors.AccessDeniedError):
        carry_out(patiently(CALL), vendor=vendor)
    assert clock.slept == []


@pytest.mark.parametrize("looks", [1, 3, len(PAUSES) + 1])
def test_what_is_not_enough_yet_is_looked_at_again(carry_out, clock, looks) -> None:
    seen = iter(range(1, 100))

    def look() -> Flow[int]:
        yield from ()
        return next(seen)

    assert carry_out(until(lambda count: count == looks, look), vendor=FakeDasha()) == looks
    assert clock.slept == list(PAUSES[: looks - 1])


def test_after_ten_seconds_the_last_look_counts_whatever_it_shows(carry_out, clock) -> None:
    seen = iter(range(1, 100))

    def look() -> Flow[int]:
        yield from ()
        return next(seen)

    assert carry_out(until(lambda _: False, look), vendor=FakeDasha()) == len(PAUSES) + 1
    assert sum(clock.slept) == 10
