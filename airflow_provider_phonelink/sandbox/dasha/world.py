"""
Dasha BlackBox as state and rules: one organisation's phone numbers and who uses them.

Records are frozen and replaced as a whole, so a snapshot of an organisation is a copy of three dicts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID, uuid4

from airflow_provider_phonelink.sandbox.dasha.records import (
    AgentRecord,
    InUse,
    NoNumber,
    NumberQuery,
    NumberRecord,
    NumberSettings,
    OutboundLinks,
)
from airflow_provider_phonelink.sandbox.dasha.registration import Status, Step, disabled, script_of, status_at
from airflow_provider_phonelink.sandbox.dasha.trunks import Trunks
from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from airflow_provider_phonelink.sandbox.dasha.records import Users
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import Clock

Steps: TypeAlias = "Iterable[Step | tuple[Any, ...] | Mapping[str, Any]]"
INBOUND = "inbound"
OUTBOUND = "replaceOutbound"


class Organisation:
    """
    The numbers of one organisation, under the vendor's rules.

    :param id: the organisation's id.
    :param clock: the time.
    :param switches: how undocumented behaviour is decided.
    :param lock: guards all state of the sandbox; every public method takes it.
    :param linked_elsewhere: whether another organisation has a phone number linked inbound.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the vendor's word
        *,
        clock: Clock,
        switches: Switches,
        lock: AbstractContextManager[object],
        linked_elsewhere: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.id = id
        self.numbers: dict[str, NumberRecord] = {}
        self.agents: dict[str, AgentRecord] = {}
        self.trunks = Trunks(id, lock)
        self.outbound = OutboundLinks()
        self.plans: dict[str, tuple[Step, ...]] = {}
        self.revision = 0
        self._pairs: dict[tuple[str, str], str] = {}
        self._all_shown_from = 0.0
        self._clock = clock
        self._switches = switches
        self._lock = lock
        self._linked_elsewhere = linked_elsewhere

    # What the vendor's endpoints do

    def create(self, settings: NumberSettings, provider_id: str | None = None) -> NumberRecord:
        """Add a number, if its pair of phone number and credentials is free."""
        with self._lock:
            number = self._add(settings, provider_id)
            lag = self._switches.dasha_new_number_lag
            number = replace(number, shown_from=number.created + lag if lag else 0.0)
            self.put(number, number)
            return number

    def page(self, query: NumberQuery) -> tuple[list[NumberRecord], int]:
        """Return one page of the numbers that match, and how many match in all."""
        with self._lock:
            numbers = self._listed()
            if query.narrows:
                exactly = self._switches.dasha_phone_filter == "exact"
                numbers = [n for n in numbers if query.matches(n, self._agents_seen(n), exactly=exactly)]
            return numbers[query.skip : query.skip + query.take], len(numbers)

    def get(self, number_id: str) -> NumberRecord:
        """Return one number."""
        with self._lock:
            number = self._stored(number_id)
            if not self._shown(number, "reads"):
                raise NoNumber(number_id)
            return number

    def replace(self, number_id: str, settings: NumberSettings) -> NumberRecord:
        """Replace all settings of a number; links and provider stay."""
        with self._lock:
            old, settings = self._stored(number_id), settings.stored_as(self._switches.dasha_stored_notation)
            self._require_free(settings, except_for=number_id)
            now = self._clock.now()
            new = replace(old, settings=settings, updated=now)
            if not settings.registers_as(old.settings):
                script = self.plans.get(settings.phone_number, old.script)
                new = replace(new, registering_since=now, script=script)
            self.put(new, old)
            return new

    def link(self, number_id: str, agent: str, mode: str = INBOUND) -> NumberRecord:
        """Give a number to an agent, inbound (whoever had it loses it) or as its only outbound one."""
        with self._lock:
            number = self._stored(number_id)
            self._require_agent(agent)
            if mode == OUTBOUND:
                self._link_outbound(number_id, agent)
                return number
            self._require_unique_inbound(number)
            return self._set_inbound(number, agent)

    def unlink(self, number_id: str, mode: str = INBOUND, agent: str | None = None) -> NumberRecord:
        """Take a number from an agent; inbound without `agent`, from whoever has it."""
        with self._lock:
            number = self._stored(number_id)
            if mode == OUTBOUND:
                return self._unlink_outbound(number, agent)
            if number.inbound_agent is None:
                return self._nothing_to_unlink(number)
            if agent is not None and agent != number.inbound_agent:
                return self._unlink_someone_elses(number, agent)
            return self._set_inbound(number, None)

    def affected(self, number_id: str) -> Users:
        """Return (agent id, agent name, uses) of every agent that uses a number."""
        with self._lock:
            return self._users(self.get(number_id))

    def affected_by(self, credentials_id: str) -> list[tuple[NumberRecord, Users]]:
        """Return the numbers of some credentials, each with the agents that use it as in :meth:`affected`."""
        with self._lock:
            if (status := self._switches.dasha_credentials_agents_status) != 200:
                raise Refused(status, "The agents of SIP credentials cannot be read.")
            self.trunks.get_credentials(credentials_id)
            numbers = [
                number for number in self._listed() if number.settings.credentials_id == credentials_id
            ]
            shown = [(number, self._users(number)) for number in numbers]
            if self._switches.dasha_credentials_agents_show == "used":
                return [(number, users) for number, users in shown if users]
            return shown[::2] if self._switches.dasha_credentials_agents_show == "some" else shown

    def delete(self, number_id: str, *, force: bool = False) -> NumberRecord:
        """Remove a number; one that agents use only with `force`, which unlinks them too."""
        with self._lock:
            number = self._stored(number_id)
            how = self._switches.dasha_provider_delete if number.provider_id else "detaches"
            if how == "refused":
                raise Refused(400, "A number of a provider is deleted by that provider's endpoint.")
            try:
                return self._delete(number, force=force, detach=how == "detaches")
            except InUse as in_use:
                raise Refused(409, in_use.detail) from None

    def delete_at_twilio(self, provider_id: str, number_id: str, *, force: bool = False) -> NumberRecord:
        """Remove a number that a provider manages, and take it off the provider's trunk."""
        with self._lock:
            number = self._stored(number_id)
            if self.trunks.get_provider(provider_id) != "twilio" or number.provider_id != provider_id:
                raise Refused(404, f"Phone number '{number_id}' was not found at this provider.")
            return self._delete(number, force=force)

    # What tests and seeds do

    def add_agent(self, agent: str, name: str | None = None, *, enabled: bool = True) -> str:
        """Make an agent known, so that it has a name (and may be linked if only known ones may)."""
        with self._lock:
            self.agents[agent] = AgentRecord(agent, name or agent, enabled)
            self.revision += 1
            return agent

    def add_number(
        self,
        phone_number: str,
        credentials_id: str | None = None,
        *,
        display_name: str | None = None,
        description: str | None = None,
        registration: bool | None = None,
        provider_id: str | None = None,
        inbound: str | None = None,
        outbound: Iterable[str] = (),
        steps: Steps | None = None,
    ) -> str:
        """
        Add a number with its links, and return its id.

        :param registration: whether it is to be registered; if not given, it is when `steps` are.
        :param inbound: the agent that answers its calls.
        :param outbound: agents that call out with it.
        :param steps: how its registration goes (see `registration.Step`), from now on.
        """
        with self._lock:
            registration = steps is not None if registration is None else registration
            credentials_id = str(UUID(credentials_id) if credentials_id else uuid4())
            settings = NumberSettings(phone_number, credentials_id, display_name, description, registration)
            number = self._add(settings, str(UUID(provider_id)) if provider_id else None)
            if steps is not None:
                self.script(number.id, steps)
            if inbound is not None:
                self._set_inbound(self._stored(number.id), inbound)
            for agent in outbound:
                self.outbound.put(agent, number.id)
            return number.id

    def put(self, number: NumberRecord, old: NumberRecord | None = None) -> None:
        """Store a number as it is, in place of an old one if there is one."""
        with self._lock:
            if old is not None:
                del self._pairs[old.settings.pair]
            if number.settings.credentials_id not in self.trunks.credentials:
                self.trunks.add_credentials(number.settings.credentials_id)
            self.numbers[number.id] = number
            self._pairs[number.settings.pair] = number.id
            self._all_shown_from = max(self._all_shown_from, number.shown_from)
            self.revision += 1

    def plan(self, phone_number: str, steps: Steps) -> None:
        """Say how the registration of a phone number will go, whenever it is created or registered anew."""
        with self._lock:
            self.plans[phone_number] = script_of(steps)

    def script(self, number_id: str, steps: Steps) -> None:
        """Say how the registration of an existing number goes, from now on."""
        with self._lock:
            number = self._stored(number_id)
            now = self._clock.now()
            self.put(replace(number, script=script_of(steps), registering_since=now), number)

    def status(self, number: NumberRecord) -> Status:
        """Return where a number's registration stands now."""
        if not number.settings.registration:
            return disabled(number.registering_since)
        script = number.script or (
            Step(0, self._switches.dasha_waiting_literal),
            Step(self._switches.dasha_registration_seconds, self._switches.dasha_active_literal),
        )
        lifetime = self._switches.dasha_registration_lifetime
        return status_at(script, number.registering_since, self._clock.now(), lifetime)

    def links(self) -> dict[str, tuple[str | None, list[str]]]:
        """Return, per number id, its inbound agent and its outbound agents."""
        with self._lock:
            return {
                number.id: (number.inbound_agent, self.outbound.agents_of(number.id))
                for number in self.numbers.values()
            }

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return a row for each number, for the table of the state."""
        for number in self.numbers.values():
            yield {
                "id": number.id,
                "number": number.settings.phone_number,
                "registration": self.status(number).state,
                "inbound_agent": number.inbound_agent,
                "outbound_agents": self.outbound.agents_of(number.id),
            }

    def inbound_phone_numbers(self) -> set[str]:
        """Return the phone numbers that are linked inbound here."""
        with self._lock:
            return {n.settings.phone_number for n in self.numbers.values() if n.inbound_agent is not None}

    def snapshot(self) -> Callable[[], None]:
        """Save the state, and return a function that restores it."""
        with self._lock:
            numbers, pairs, outbound = dict(self.numbers), dict(self._pairs), dict(self.outbound.number_of)
            agents, plans, revision = dict(self.agents), dict(self.plans), self.revision
            trunks = self.trunks.snapshot()

        def restore() -> None:
            with self._lock:
                self.numbers, self._pairs, self.outbound = numbers, pairs, OutboundLinks(outbound)
                self.agents, self.plans, self.revision = agents, plans, revision
                trunks()

        return restore

    # The rules

    def _stored(self, number_id: str) -> NumberRecord:
        try:
            return self.numbers[number_id]
        except KeyError:
            raise NoNumber(number_id) from None

    def _listed(self) -> list[NumberRecord]:
        numbers = list(self.numbers.values())
        if self._clock.now() >= self._all_shown_from:
            return numbers
        return [number for number in numbers if self._shown(number, "lists")]

    def _shown(self, number: NumberRecord, to: str) -> bool:
        """Return whether single reads, or lists, know a number already."""
        if self._clock.now() >= number.shown_from:
            return True
        return self._switches.dasha_lag_hides not in ("both", to)

    def _add(self, settings: NumberSettings, provider_id: str | None) -> NumberRecord:
        settings = settings.stored_as(self._switches.dasha_stored_notation)
        self._require_free(settings)
        now = self._clock.now()
        script = self.plans.get(settings.phone_number)
        number = NumberRecord(str(uuid4()), self.id, settings, now, now, now, script, provider_id)
        self.put(number)
        if provider_id:
            self.trunks.connect(provider_id, number.id, settings.phone_number)
        return number

    def _users(self, number: NumberRecord) -> Users:
        uses: dict[str, list[str]] = {}
        if number.inbound_agent is not None:
            uses.setdefault(number.inbound_agent, []).append(INBOUND)
        for agent in self.outbound.agents_of(number.id):
            uses.setdefault(agent, []).append(self._switches.dasha_outbound_literal)
        names = {agent: self.agents[agent].name for agent in uses if agent in self.agents}
        return [(agent, names.get(agent, agent), literals) for agent, literals in uses.items()]

    def _delete(self, number: NumberRecord, *, force: bool, detach: bool = True) -> NumberRecord:
        users = self._users(number)
        if users and not force:
            raise InUse(users)
        for agent in self.outbound.agents_of(number.id):
            self.outbound.remove(agent)
        if number.provider_id and detach:
            self.trunks.disconnect(number.provider_id, number.id)
        del self.numbers[number.id]
        del self._pairs[number.settings.pair]
        self.revision += 1
        return number

    def _agents_seen(self, number: NumberRecord) -> tuple[str, ...]:
        """Return the agents that the list's link filters look at."""
        inbound = () if number.inbound_agent is None else (number.inbound_agent,)
        if self._switches.dasha_linked_filter == "inbound":
            return inbound
        return (*inbound, *self.outbound.agents_of(number.id))

    def _require_free(self, settings: NumberSettings, except_for: str | None = None) -> None:
        if self._pairs.get(settings.pair, except_for) != except_for:
            raise Refused(
                self._switches.dasha_duplicate_status,
                "A phone number with the same number and credentials already exists in the organization.",
            )

    def _require_agent(self, agent: str) -> None:
        if self._switches.dasha_unknown_agent == "refuse" and agent not in self.agents:
            raise Refused(404, f"Agent '{agent}' was not found.")

    def _require_unique_inbound(self, number: NumberRecord) -> None:
        phone_number = number.settings.phone_number
        taken = self._linked_elsewhere(phone_number)
        if self._switches.dasha_inbound_uniqueness == "everywhere":
            taken = taken or any(
                other.settings.phone_number == phone_number
                for other in self.numbers.values()
                if other.inbound_agent is not None and other.id != number.id
            )
        if taken:
            raise Refused(
                self._switches.dasha_foreign_link_status, "The phone number is already linked elsewhere."
            )

    def _set_inbound(self, number: NumberRecord, agent: str | None) -> NumberRecord:
        if number.inbound_agent == agent:
            return number
        new = replace(number, inbound_agent=agent, updated=self._clock.now())
        self.put(new, number)
        return new

    def _link_outbound(self, number_id: str, agent: str) -> None:
        if self.outbound.number_of.get(agent) != number_id:
            self.outbound.put(agent, number_id)
            self.revision += 1

    def _unlink_outbound(self, number: NumberRecord, agent: str | None) -> NumberRecord:
        if agent is None:
            raise Refused(400, "agentId is required for mode=replaceOutbound.")
        if self.outbound.number_of.get(agent) != number.id:
            return self._nothing_to_unlink(number)
        self.outbound.remove(agent)
        self.revision += 1
        return number

    def _nothing_to_unlink(self, number: NumberRecord) -> NumberRecord:
        if (status := self._switches.dasha_unlinked_again_status) != 200:
            raise Refused(status, "The phone number is not linked to the agent.")
        return number

    def _unlink_someone_elses(self, number: NumberRecord, agent: str) -> NumberRecord:
        behaviour = self._switches.dasha_unlink_agent_id
        if behaviour == "refused":
            raise Refused(409, f"The phone number is not linked to agent '{agent}'.")
        return number if behaviour == "respected" else self._set_inbound(number, None)
