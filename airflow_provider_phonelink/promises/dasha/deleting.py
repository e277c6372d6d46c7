"""Numbers that are to be deleted, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.text import first_warnings
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.promises.journal import Journal, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.api.errors import AuthenticationError, PhonelinkError
    from airflow_provider_phonelink.promises.journal import Entry

IF_LINKED = ("fail", "unlink")


@dataclass
class NumberToDelete:
    """A number, as it was named, and what came of it."""

    name: str
    #: Other names under which the task was given it, too.
    other_names: list[str] = field(default_factory=list)
    number: PhoneNumber | None = None
    step: str | None = None
    reason: str | None = None
    retry_helps: bool = False
    #: The journal's keys of the links that a try of the task took from its agents, or was about to.
    keys: set[str] = field(default_factory=set)
    #: Whether an agent is without it through the task, and it could not be given back.
    owed: bool = False

    @property
    def id(self) -> str | None:
        """Its id, if it is known."""
        if self.number:
            return self.number.id
        return self.name if is_uuid(self.name) else None

    def fail(self, error: PhonelinkError) -> None:
        """Note why it is not gone."""
        self.reason = f"{self.reason} {error}" if self.reason else str(error)
        self.retry_helps = self.retry_helps or error.retry_helps

    def row(self) -> NumberRow:
        """Return what came of it."""
        named_by_id = is_uuid(self.name)
        return NumberRow(
            phone_number=self.number.phone_number if self.number else None if named_by_id else self.name,
            id=self.number.id if self.number else self.name if named_by_id else None,
            step=self.step,
            state=self.number.registration_status.state if self.number else None,
            reason=self.reason,
        )


@dataclass
class Deleting:
    """
    Numbers that are to go.

    :param names: Ids and phone numbers, each once, checked.
    :param if_linked: ``fail`` leaves a number that an agent uses, ``unlink`` takes it from the agents that use it.
    :param retried: Whether a later try comes for a number that it may delete. Otherwise that goes back to its agents.
    """

    names: Sequence[str]
    if_linked: str = "fail"
    journal: Journal = field(default_factory=Journal)
    on_step: Callable[[str], None] = lambda _: None
    warnings: list[str] = field(default_factory=list)
    retried: bool = True
    numbers: list[NumberToDelete] = field(init=False)
    #: The vendor's word on the key, once it refuses it.
    refusal: AuthenticationError | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.if_linked = arguments.choice("if_linked", self.if_linked, IF_LINKED)
        self.numbers = [NumberToDelete(name) for name in self.names]

    @property
    def failed(self) -> int:
        """How many are not gone."""
        return sum(number.reason is not None for number in self.numbers)

    @property
    def must_fail(self) -> bool:
        """Whether it is no success, whatever is asked for: an agent is without its number, or the key is refused."""
        return self.refusal is not None or any(number.owed for number in self.numbers)

    @property
    def retry_helps(self) -> bool:
        """Whether another try may delete one more, or give one back."""
        return any(number.retry_helps or number.owed for number in self.numbers)

    @property
    def told_warnings(self) -> list[str]:
        """What somebody should look into, bounded."""
        return first_warnings(self.warnings)

    @property
    def urgent_first(self) -> list[NumberToDelete]:
        """The numbers, those first that agents are without: a message names the first ones only."""
        return sorted(self.numbers, key=lambda number: number.reason is None or not self.taken(number))

    def settle_journal(self) -> None:
        """Let the journal say what is true now, before it is told of."""
        for key, entry in self.journal:
            if entry.state is State.CONTESTED:  # of a task that does not fail
                self.journal.settle(key, entry.agent_id)

    def entries(self, number: NumberToDelete) -> dict[str, Entry]:
        """Return what the journal has of a number."""
        found = {key: self.journal.of(key) for key in sorted(number.keys)}
        return {
            key: entry
            for key, entry in found.items()
            if entry is not None and number.id in (None, entry.number_id)
        }

    def taken(self, number: NumberToDelete) -> dict[str, Entry]:
        """Return what the journal has of links that the task removed, or was about to, and that nobody contests."""
        return {key: entry for key, entry in self.entries(number).items() if entry.pending}
