"""What was true before a number began to move from one agent to another: a try after a crash has to know it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.api.callingbox.models import Agent


def tells_primary(agent: Agent) -> bool:
    """Return whether an answer says which number is primary, rather than leaving it out."""
    return "primary_number_id" in agent.model_fields_set


@dataclass
class Traces:
    """The agent that had the number, when it lost the number, and the primary numbers of the agents concerned."""

    number_id: str
    holder: str | None = None
    #: When the holder was about to lose the number, in seconds since 1970.
    since: float = 0.0
    #: Agent id to number id, for agents whose primary number is known.
    primaries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, number_id: str, earlier: Mapping[str, Any] | None) -> Traces:
        """Return the traces that an earlier try stored, if they are about the same number."""
        if not earlier or earlier.get("number_id") != number_id:
            return cls(number_id)
        return cls(number_id, earlier["holder"], float(earlier["since"]), dict(earlier["primaries"]))

    def as_json(self) -> dict[str, Any]:
        """Return the plain form for a later try."""
        return {
            "number_id": self.number_id,
            "holder": self.holder,
            "since": self.since,
            "primaries": dict(self.primaries),
        }

    @property
    def empty(self) -> bool:
        """Whether a later try could see everything for itself."""
        return self.holder is None and not self.primaries

    def saw(self, agent: Agent) -> None:
        """Note an agent's primary number. One that an earlier try saw is older, so it stays."""
        if tells_primary(agent) and agent.primary_number_id:
            self.primaries.setdefault(agent.id, agent.primary_number_id)

    def leaves(self, holder: str) -> None:
        """Note the agent that is about to lose the number."""
        self.holder = holder
        self.since = time.time()

    def gap(self) -> float:
        """Return for how many seconds no inbound agent has had the number."""
        return max(0.0, time.time() - self.since)
