"""What a vendor provides for the doctor: a flow that reads, and a pure function that makes findings of what it read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from airflow_provider_phonelink.api.errors import AuthenticationError, PhonelinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.observing import Observed
    from airflow_provider_phonelink.api.settings import Settings
    from airflow_provider_phonelink.doctor.findings import Finding

T = TypeVar("T")
P = ParamSpec("P")
ReadingsT = TypeVar("ReadingsT")


@dataclass(frozen=True)
class Circumstances:
    """What findings depend on beside the readings."""

    settings: Settings
    #: When it was read, with a time zone.
    now: datetime
    #: All answers, in their order.
    traffic: tuple[Observed, ...]


@dataclass(frozen=True)
class Examination(Generic[ReadingsT]):
    """A vendor's part of the doctor."""

    #: Reads, with at most twenty requests for a thousand numbers, not counting repeats, and writes nothing.
    read: Callable[[], Flow[ReadingsT]]
    findings: Callable[[ReadingsT, Circumstances], list[Finding]]


def attempt(endpoint: Callable[P, Call[T]], *args: P.args, **kwargs: P.kwargs) -> Flow[T | PhonelinkError]:
    """
    Read what may be refused: the error is a result, too, unless nothing can be read with this key.

    The arguments are what the vendor answered, so that the endpoint may not take them: that is such an error.
    """
    try:
        answer: T = yield endpoint(*args, **kwargs)
    except AuthenticationError:
        raise
    except PhonelinkError as error:
        return error.with_traceback(None)
    return answer


def with_source(flow: Flow[T]) -> Flow[tuple[T, Any]]:
    """Carry out a flow of a single call, and return its result with the body of the answer, as plain data."""
    call = cast("Call[Any]", next(flow))
    answer, source = yield replace(call, read=lambda body: (call.read(body), json.loads(body)))
    try:
        flow.send(answer)
    except StopIteration as end:
        return end.value, source
    raise AssertionError("the flow is of several calls")


def answered(reading: T | PhonelinkError | None) -> T | None:
    """Return what was read; None if it was refused or not asked for."""
    return None if isinstance(reading, PhonelinkError) else reading
