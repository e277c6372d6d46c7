"""
Ask again before the absence of a number is believed.

A number that was just created may not be there for every read yet; how long that takes is not documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_phonelink.api.calls import Pause
from airflow_provider_phonelink.api.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call, Flow

T = TypeVar("T")

#: Seconds between the looks: ten in all.
PAUSES = (0.5, 1.0, 1.5, 2.0, 2.5, 2.5)


def patiently(call: Call[T]) -> Flow[T]:
    """
    Read what may not be there yet.

    :raises NotFoundError: If it is still not there after ten seconds.
    """
    for pause in PAUSES:
        try:
            answer: T = yield call
        except NotFoundError:
            yield Pause(pause)
        else:
            return answer
    answer = yield call
    return answer


def until(is_enough: Callable[[T], bool], look: Callable[[], Flow[T]]) -> Flow[T]:
    """Look again while what was seen is not enough yet, for ten seconds; return what the last look saw."""
    for pause in PAUSES:
        seen = yield from look()
        if is_enough(seen):
            return seen
        yield Pause(pause)
    return (yield from look())
