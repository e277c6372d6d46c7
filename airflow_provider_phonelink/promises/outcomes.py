"""What came of a promise: the state it left and how it got there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

#: What a change was about: a number at Dasha, an agent at CallingBox.
SubjectT = TypeVar("SubjectT", bound="PhoneNumber | Agent")


def plain(model: PhoneNumber | Agent, **options: Any) -> dict[str, Any]:
    """
    Return a model in the plain form that goes into XCom: JSON types, snake case.

    Without NUL characters, which the database behind Airflow may refuse.
    """
    dumped: dict[str, Any] = _without_nul(model.model_dump(mode="json", **options))
    return dumped


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Common to all promises."""

    #: What is true now and what was done, for the log.
    summary: str
    #: What somebody should look at although the promise is kept.
    warnings: tuple[str, ...] = field(default=())

    def log_to(self, log: Any) -> None:
        """Say what came of it to a logger, an Airflow one or a plain one."""
        log.info("%s", self.summary)
        for warning in self.warnings:
            log.warning("%s", warning)


@dataclass(frozen=True, kw_only=True)
class Created(Outcome):
    """The one number with this pair."""

    number: PhoneNumber
    #: Whether it was there before the task, or an earlier try had made it.
    adopted: bool

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {**plain(self.number), "adopted": self.adopted}


@dataclass(frozen=True, kw_only=True)
class Changed(Outcome, Generic[SubjectT]):
    """A number (Dasha) or agent (CallingBox) after its link was to be changed."""

    subject: SubjectT
    #: Whether a write was needed.
    changed: bool
    #: The agent that had the number before, where the vendor tells.
    previous_agent_id: str | None

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {
            **plain(self.subject),
            "changed": self.changed,
            "previous_agent_id": _without_nul(self.previous_agent_id),
        }
