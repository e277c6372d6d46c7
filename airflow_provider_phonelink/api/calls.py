"""
Describe a request as a value, and a procedure of several requests as a flow.

A :class:`Call` is one endpoint with its arguments filled in. A :data:`Flow` is a generator that yields
calls and receives their answers (or has their errors thrown into it) and returns a result. Neither does
any input or output: the sync and the async sender in
:mod:`~airflow_provider_phonelink.api.senders` both carry them out, so that nothing is written twice.
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
    """What a look before a repeat found out: there is nothing left to repeat, this is the answer."""

    answer: T_co


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request to a vendor."""

    method: str
    #: Absolute path with its ids already escaped; see :func:`path`.
    path: str
    #: Turns the body of a success into the answer; raises ValueError if it cannot be believed.
    read: Callable[[bytes], T]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    #: Whether the request may be sent again as it is when its outcome is open.
    repeatable: bool = False
    #: For a request that must not be repeated blindly: a flow to run before each repeat. It settles the
    #: matter, or lets the repeat happen (None), or forbids it by raising.
    look: Callable[[], Flow[AlreadyDone[T] | None]] | None = None


@dataclass(frozen=True)
class Pause:
    """Wait before going on. Only the retry flow yields it."""

    seconds: float


@dataclass(frozen=True)
class Parallel(Generic[T_co]):
    """
    Several flows that may be carried out at the same time.

    The answer is the list of their results in order. The first error ends the rest, except what a thread has begun.
    """

    flows: Sequence[Flow[T_co]]


@dataclass(frozen=True)
class Setting:
    """
    Ask the client for one of its settings, such as ``attach_body_key``. The answer is the setting's value.

    So what only one vendor's requests depend on is no argument of every function above them.
    """

    name: str


#: How many requests of one :class:`Parallel` are under way at once.
CONCURRENCY = 8

Flow: TypeAlias = "Generator[Call[Any] | Parallel[Any] | Setting, Any, T]"


class Stepper(Generic[StepT, T]):
    """
    A way through a flow, one step at a time.

    Carry out :attr:`step` and report what came of it with :meth:`answered` or :meth:`failed`, until
    :attr:`done`; then :attr:`result` is there.
    """

    def __init__(self, steps: Generator[StepT, Any, T]) -> None:
        self._steps = steps
        self.done = False
        self.answered(None)

    def answered(self, answer: Any) -> None:
        """Go on after the step succeeded."""
        self._advance(self._steps.send, answer)

    def failed(self, error: Exception) -> None:
        """Go on after the step failed; raises the error if the flow does not handle it."""
        self._advance(self._steps.throw, error)

    def _advance(self, move: Callable[[Any], StepT], outcome: Any) -> None:
        try:
            self.step: StepT = move(outcome)
        except StopIteration as finished:
            self.done = True
            self.result: T = finished.value


def path(template: str, **ids: str) -> str:
    """Put ids into a path so that they stay one segment each."""
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def or_nothing(read: Callable[[bytes], T]) -> Callable[[bytes], T | None]:
    """Accept a success without a body: whether a write answers with one is not certain."""
    return lambda body: read(body) if body.strip() else None


def as_flow(call: Call[T]) -> Flow[T]:
    """Return the flow that consists of one call."""
    answer: T = yield call
    return answer
