"""Everything the sandbox knows, of both vendors: the state that tests read and change directly."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_phonelink.sandbox.callingbox.world import CallingBox
from airflow_provider_phonelink.sandbox.clock import Clock
from airflow_provider_phonelink.sandbox.dasha.world import Organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_phonelink.sandbox.registration import Step
    from airflow_provider_phonelink.sandbox.switches import Switches

HOME = "org-sandbox"
"""The organisation whose key the sandbox hands out."""

Result = TypeVar("Result")


class World:
    """
    Both vendors' state under one lock.

    :param switches: how undocumented behaviour is settled.
    """

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.clock = Clock()
        self.lock = RLock()
        self.organisations: dict[str, Organisation] = {}
        self.callingbox: CallingBox
        self.reset()

    @property
    def dasha(self) -> Organisation:
        """The Dasha organisation the sandbox's key belongs to."""
        return self.organisations[HOME]

    def reset(self) -> None:
        """Forget everything, and go back to real time."""
        with self.lock:
            self.clock.reset()
            self.organisations.clear()
            self.organisation(HOME)
            self.callingbox = CallingBox(clock=self.clock, switches=self.switches, lock=self.lock)

    def organisation(self, id: str) -> Organisation:  # noqa: A002 - the vendor's word
        """Return a Dasha organisation, a new one if there is none of that id yet."""
        with self.lock:
            if id not in self.organisations:
                self.organisations[id] = Organisation(
                    id,
                    clock=self.clock,
                    switches=self.switches,
                    lock=self.lock,
                    linked_elsewhere=lambda phone_number: self._linked_outside(id, phone_number),
                )
            return self.organisations[id]

    def link_elsewhere(self, phone_number: str) -> None:
        """Let another organisation have a phone number linked inbound."""
        self.organisation("org-elsewhere").add_number(phone_number, inbound="agent-elsewhere")

    def plan_registration(
        self, phone_number: str, steps: Iterable[Step | tuple[Any, ...] | Mapping[str, Any]]
    ) -> None:
        """
        Say how a phone number's registration will go once it is created.

        `plan_registration("+15550001111", [(0, "Registering"), (2, "Failed", "no route")])`
        """
        self.dasha.plan(phone_number, steps)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forward."""
        self.clock.advance(seconds)

    def apply(
        self, owner: Organisation | CallingBox, operation: Callable[[], Result], *, dry: bool = False
    ) -> tuple[Result, bool]:
        """
        Run an operation at once and whole, and say whether it changed anything.

        :param dry: undo it again; the result is what it would have been.
        """
        with self.lock:
            restore = owner.snapshot() if dry else None
            before = owner.revision
            try:
                result = operation()
            finally:
                if restore is not None:
                    restore()
            return result, owner.revision != before

    def rows(self) -> list[dict[str, Any]]:
        """Return the state as a plain table: a row per number."""
        with self.lock:
            return [*self._dasha_rows(), *self._callingbox_rows()]

    def _dasha_rows(self) -> Iterable[dict[str, Any]]:
        for number in self.dasha.numbers.values():
            yield {
                "vendor": "dasha",
                "id": number.id,
                "number": number.settings.phone_number,
                "registration": self.dasha.status(number).state,
                "inbound_agent": number.inbound_agent,
                "outbound_agents": self.dasha.outbound.agents_of(number.id),
            }

    def _callingbox_rows(self) -> Iterable[dict[str, Any]]:
        for number in self.callingbox.numbers.values():
            yield {
                "vendor": "callingbox",
                "id": number.id,
                "number": number.e164,
                "registration": None,
                "inbound_agent": number.inbound_agent,
                "outbound_agents": list(number.outbound_agents),
            }

    def _linked_outside(self, organisation: str, phone_number: str) -> bool:
        return any(
            phone_number in other.inbound_phone_numbers()
            for id_, other in self.organisations.items()
            if id_ != organisation
        )
