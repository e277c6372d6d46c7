"""
Describe a request as a value, and a procedure of several requests as a flow.

A :class:`Call` is one endpoint with its arguments filled in. A :data:`Flow` is a generator that yields
calls, receives their answers (or has their errors thrown into it) and returns a result. Neither performs
any I/O: the sync and the async sender in :mod:`~airflow_provider_phonelink.api.senders` carry out both, so
that no procedure is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

T = TypeVar("T")
StepT = TypeVar("StepT")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class AlreadyDone(Generic[T_co]):
    """The result of a look before a repeat: the request has taken effect already, and this is its answer."""

    answer: T_co


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request to a vendor."""

    method: str
    #: Absolute path with its ids already escaped; see :func:`path`.
    path: str
    #: Parses the body of a success; raises ValueError if the body cannot be trusted.
    read: Callable[[bytes], T]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    #: Whether the request may be sent again unchanged when its outcome is unknown.
    repeatable: bool = False
    #: For a request that must not be repeated blindly: a flow to run before each repeat. It returns
    #: :class:`AlreadyDone` if nothing is left to repeat, None if the repeat may go ahead, or raises to forbid it.
    look: Callable[[], Flow[AlreadyDone[T] | None]] | None = None


@dataclass(frozen=True)
class Pause:
    """Wait before going on."""

    seconds: float
    #: How the request failed that is tried again afterwards; None for a wait between requests that went well.
    after: type[Exception] | None = None


@dataclass(frozen=True)
class Parallel(Generic[T_co]):
    """
    Several flows that may be carried out at the same time.

    The answer is the list of their results, in order. The first error cancels the others, except those that a thread
    has already begun.
    """

    flows: Sequence[Flow[T_co]]


@dataclass(frozen=True)
class Setting:
    """
    Ask the client for one of its settings, such as ``attach_body_key``. The answer is the setting's value.

    A setting that only one vendor's requests depend on need not be a parameter of every function above them.
    """

    name: str


#: How many requests of one :class:`Parallel` are under way at once.
CONCURRENCY = 8

Flow: TypeAlias = "Generator[Call[Any] | Parallel[Any] | Setting | Pause, Any, T]"


class Stepper(Generic[StepT, T]):
    """
    Drives a flow one step at a time.

    Carry out :attr:`step` and report its outcome with :meth:`answered` or :meth:`failed` until :attr:`done` is true.
    Then :attr:`result` is the flow's result.
    """

    def __init__(self, steps: Generator[StepT, Any, T]) -> None:
        self._steps = steps
        self.done = False
        self.answered(None)

    def answered(self, answer: Any) -> None:
        """Advance after the step succeeded."""
        self._advance(self._steps.send, answer)

    def failed(self, error: Exception) -> None:
        """Advance after the step failed. Raises the error if the flow does not handle it."""
        self._advance(self._steps.throw, error)

    def _advance(self, move: Callable[[Any], StepT], outcome: Any) -> None:
        try:
            self.step: StepT = move(outcome)
        except StopIteration as finished:
            self.done = True
            self.result: T = finished.value


def path(template: str, **ids: str) -> str:
    """Fill ids into a path template, escaped so that each stays a single segment."""
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def or_nothing(read: Callable[[bytes], T]) -> Callable[[bytes], T | None]:
    """Accept a success without a body, too: whether a write answers with one is not documented."""
    return lambda body: read(body) if body.strip() else None


def as_flow(call: Call[T]) -> Flow[T]:
    """Return the flow that consists of one call."""
    answer: T = yield call
    return answer
