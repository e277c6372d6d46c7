"""Hook for CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import endpoints, reads, writes
from airflow_provider_phonelink.hooks.vendor import VendorHook
from airflow_provider_phonelink.promises.callingbox.naming import for_number
from airflow_provider_phonelink.vendors import CALLINGBOX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings  # noqa: F401 - the base names it
    from airflow_provider_phonelink.api.calls import Call


class CallingBoxHook(VendorHook["CallingBoxSettings"]):
    """
    A client of CallingBox for agents and their numbers. It can neither buy nor release a number.

    Each method is one call to the vendor, repeated on failure as far as that is safe, and has an async twin with an
    ``a`` in front of its name. To reach a state whatever the state is now, use the operators.

    Where a method takes a number, its phone number will do, in any notation; all numbers are read for it.

    The methods come from the vendor's pages on ``/v1/agents`` and ``/v1/numbers``.

    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``: the API key is its password; its host is
        a base URL, if that is not the vendor's usual one.
    :param max_retries: How often a failed request is repeated, instead of what the connection says.
    :raises PhonelinkFailException: From any method, if a retry cannot help.
    :raises PhonelinkRetryableException: From any method, if a retry may help.
    """

    conn_name_attr = "callingbox_conn_id"
    vendor = CALLINGBOX
    default_conn_name = CALLINGBOX.default_conn_id
    conn_type = CALLINGBOX.key
    hook_name = CALLINGBOX.name

    def __init__(self, callingbox_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(callingbox_conn_id, **kwargs)
        self.callingbox_conn_id = callingbox_conn_id

    def _probe(self) -> Call[Any]:
        return endpoints.list_numbers(limit=1)

    def list_numbers(self) -> list[Number]:
        """Read the organisation's numbers, in pages of 100, newest first (``GET /v1/numbers``)."""
        return self.run(reads.all_numbers())

    async def alist_numbers(self) -> list[Number]:
        """Do what :meth:`list_numbers` does, asynchronously."""
        return await self.arun(reads.all_numbers())

    def iter_numbers(self) -> Iterator[Number]:
        """Read the organisation's numbers one after the other, with no more than a page of 100 in memory."""
        listing = reads.Listing()
        while listing.goes_on:
            yield from self.run(reads.next_numbers(listing))

    async def aiter_numbers(self) -> AsyncIterator[Number]:
        """Do what :meth:`iter_numbers` does, asynchronously."""
        listing = reads.Listing()
        while listing.goes_on:
            for number in await self.arun(reads.next_numbers(listing)):
                yield number

    def list_agents(self, type: str | None = None) -> list[Agent]:  # noqa: A002 - the vendor's name
        """
        Read the organisation's agents.

        :param type: ``inbound`` or ``outbound``; None for both.
        """
        return self.run(reads.all_agents(type))

    async def alist_agents(self, type: str | None = None) -> list[Agent]:  # noqa: A002 - the vendor's name
        """Do what :meth:`list_agents` does, asynchronously."""
        return await self.arun(reads.all_agents(type))

    def get_agent(self, agent_id: str) -> Agent:
        """
        Read an agent with its numbers.

        :param agent_id: The agent.
        """
        return self.send(endpoints.get_agent, agent_id)

    async def aget_agent(self, agent_id: str) -> Agent:
        """Do what :meth:`get_agent` does, asynchronously."""
        return await self.asend(endpoints.get_agent, agent_id)

    def attach(self, agent_id: str, number_id: str) -> Agent:
        """
        Attach a number to an agent. If the outcome is unknown, look before posting again.

        :param agent_id: The agent. The vendor refuses an inbound agent a number that another inbound agent has.
        :param number_id: The number, by id or phone number.
        """
        return self.run(for_number(writes.attach, agent_id, number_id))

    async def aattach(self, agent_id: str, number_id: str) -> Agent:
        """Do what :meth:`attach` does, asynchronously."""
        return await self.arun(for_number(writes.attach, agent_id, number_id))

    def detach(self, agent_id: str, number_id: str) -> Agent:
        """
        Detach a number from an agent. The number stays bought and billed.

        :param agent_id: The agent.
        :param number_id: The number, by id or phone number.
        """
        return self.run(for_number(writes.detach, agent_id, number_id))

    async def adetach(self, agent_id: str, number_id: str) -> Agent:
        """Do what :meth:`detach` does, asynchronously."""
        return await self.arun(for_number(writes.detach, agent_id, number_id))

    def set_primary_number(self, agent_id: str, number_id: str) -> Agent:
        """
        Make a number the agent's primary one.

        :param agent_id: The agent.
        :param number_id: The number, by id or phone number; it must be attached already.
        """
        return self.run(for_number(writes.set_primary_number, agent_id, number_id))

    async def aset_primary_number(self, agent_id: str, number_id: str) -> Agent:
        """Do what :meth:`set_primary_number` does, asynchronously."""
        return await self.arun(for_number(writes.set_primary_number, agent_id, number_id))
