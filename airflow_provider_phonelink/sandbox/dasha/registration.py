"""
SIP registration over time, as a pure function of a script and the clock.

Nothing runs in the background: a number's registration status is computed when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DISABLED = "Disabled"
"""The only literal that the vendor documents: the state of a number whose `registration` is false."""

ACTIVE_STATES = frozenset({"registered", "active"})
FAILED_STATES = frozenset({"failed", "error", "rejected"})


@dataclass(frozen=True)
class Step:
    """
    From `after` seconds on, the registration is in `state`.

    :param after: seconds since registration was switched on.
    :param state: the vendor's literal.
    :param error: `errorDescription`; failed states have one even if none is given.
    :param sip: `sipResponseMessage`; likewise.
    :param lifetime: how many seconds `expiresAt` lies ahead; active states have one even if none is given.
    :param renews: whether the registration is renewed before it expires. False lets it lapse.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    after: Annotated[float, Strict(), Field(ge=0)]
    state: str
    error: str | None = None
    sip: str | None = None
    lifetime: Annotated[float, Strict(), Field(gt=0)] | None = None
    renews: Annotated[bool, Strict()] = True

    def __post_init__(self) -> None:
        """Refuse a step that could never happen."""
        if self.after < 0:
            raise ValueError("a registration step's `after` must not be negative")
        if self.lifetime is not None and self.lifetime <= 0:
            raise ValueError("a registration step's `lifetime` must be positive")


@dataclass(frozen=True)
class Status:
    """The registration as the vendor shows it at one moment."""

    state: str
    error: str | None
    sip: str | None
    last_updated: float
    expires_at: float | None
    changes_at: float
    """Until then the status stays as it is."""


def script_of(steps: Iterable[Step | tuple[Any, ...] | Mapping[str, Any]]) -> tuple[Step, ...]:
    """Make a script of steps given as `Step`s, tuples (`(2, "Failed", "no route")`) or mappings (from JSON)."""
    script = tuple(sorted((_step_of(step) for step in steps), key=lambda step: step.after))
    if not script:
        raise ValueError("a registration plan needs at least one step")
    return script


def _step_of(step: Step | tuple[Any, ...] | list[Any] | Mapping[str, Any]) -> Step:
    if isinstance(step, Step):
        return step
    if isinstance(step, (tuple, list)):
        return Step(*step)
    return Step(**step)


def disabled(since: float) -> Status:
    """Return the status of a number whose registration is switched off."""
    return Status(DISABLED, None, None, since, None, inf)


def status_at(script: tuple[Step, ...], since: float, now: float, default_lifetime: float) -> Status:
    """
    Return where a registration stands.

    :param script: its steps, in order.
    :param since: when registration was switched on.
    :param now: the moment to look at.
    :param default_lifetime: the lifetime of active states that name none.
    """
    current = script[0]
    changes_at = inf
    for step in script[1:]:
        if since + step.after > now:
            changes_at = since + step.after
            break
        current = step
    updated, expires_at, renewal = _lifetime(current, since + current.after, now, default_lifetime)
    error, sip = _failure(current)
    return Status(current.state, error, sip, updated, expires_at, min(changes_at, renewal))


def _lifetime(step: Step, start: float, now: float, default: float) -> tuple[float, float | None, float]:
    """Return when the state was last confirmed, when it expires, and when it is confirmed next."""
    lifetime = step.lifetime
    if lifetime is None:
        if step.state.lower() not in ACTIVE_STATES:
            return start, None, inf
        lifetime = default
    if not step.renews:
        return start, start + lifetime, inf
    # SIP clients register again after half the lifetime, so that a lost packet does no harm.
    interval = lifetime / 2
    renewals = max(0, floor((now - start) / interval))
    updated = start + renewals * interval
    return updated, updated + lifetime, updated + interval


def _failure(step: Step) -> tuple[str | None, str | None]:
    if step.state.lower() not in FAILED_STATES:
        return step.error, step.sip
    return step.error or "The SIP provider refused the registration", step.sip or "403 Forbidden"
