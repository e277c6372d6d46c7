"""The outcome of a promise: the state that it left and what was done to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

#: What a change was about, as the vendor describes it: a number or an agent.
SubjectT = TypeVar("SubjectT", bound="BaseModel")


def plain(model: BaseModel, **options: Any) -> dict[str, Any]:
    """Return a model in the plain form that goes into XCom: JSON types, snake case, and storable."""
    dumped: dict[str, Any] = storable(model.model_dump(mode="json", **options))
    return dumped


def storable(value: Any) -> Any:
    """
    Return plain data in a form that Airflow stores and reads back as it was.

    The database may refuse NUL characters and halves of surrogate pairs. A key that begins with two underscores may
    be a mark of Airflow's own serialisation (``__type``, ``__classname__``, ...), by which a vendor could have a
    reader make objects; it loses one of them.
    """
    if isinstance(value, str):
        if type(value) is str and value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_harmless_key(storable(key)): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def _harmless_key(key: str) -> str:
    return f"_{key.lstrip('_')}" if key.startswith("__") else key


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Common to all promises."""

    #: What is true now and what was done, for the log.
    summary: str
    #: What somebody should look into although the promise is kept.
    warnings: tuple[str, ...] = field(default=())

    def log_to(self, log: Any) -> None:
        """Log the outcome."""
        log.info("%s", self.summary)
        for warning in self.warnings:
            log.warning("%s", warning)


@dataclass(frozen=True, kw_only=True)
class Changed(Outcome, Generic[SubjectT]):
    """A number or an agent after a link of it was made or removed, if that was necessary."""

    subject: SubjectT
    #: Whether a try of the task wrote.
    changed: bool
    #: The agent that had the number before, as far as the vendor shows it.
    previous_agent_id: str | None

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {
            **plain(self.subject),
            "changed": self.changed,
            "previous_agent_id": storable(self.previous_agent_id),
        }
