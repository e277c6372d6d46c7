"""Hook for Dasha BlackBox."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import deletes, endpoints, lists, outbound, reads, writes
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.hooks import bulk
from airflow_provider_phonelink.hooks.vendor import VendorHook
from airflow_provider_phonelink.promises.dasha.naming import ANY_NUMBER, for_number, numbers_named
from airflow_provider_phonelink.promises.dasha.wait import judgements
from airflow_provider_phonelink.vendors import DASHA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from uuid import UUID

    from typing_extensions import Unpack

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.dasha.endpoints import Configuration, Filters, LinkMode
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, Agent, PhoneNumber, SipCredentials
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings  # noqa: F401 - the base names it
    from airflow_provider_phonelink.decisions.registration import Judgement
    from airflow_provider_phonelink.hooks.bulk import BulkResult, Item, Job


class DashaHook(VendorHook["DashaSettings"]):
    """
    A client of Dasha BlackBox for phone numbers and their links to agents.

    Each method is one call to the vendor, repeated on failure as far as that is safe, and has an async twin with an
    ``a`` in front of its name. To reach a state whatever the state is now, use the operators.

    The methods come from the vendor's pages on ``/api/v1/sip-phone-numbers``, SIP credentials and agents.

    :param dasha_conn_id: The Airflow connection, of type ``dasha``: the API key is its password; its host is a base
        URL, if that is not the vendor's usual one.
    :param max_retries: How often a failed request is repeated, instead of what the connection says.
    :raises PhonelinkFailException: From any method, if a retry cannot help.
    :raises PhonelinkRetryableException: From any method, if a retry may help.
    """

    conn_name_attr = "dasha_conn_id"
    vendor = DASHA
    default_conn_name = DASHA.default_conn_id
    conn_type = DASHA.key
    hook_name = DASHA.name

    def __init__(self, dasha_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(dasha_conn_id, **kwargs)
        self.dasha_conn_id = dasha_conn_id

    def _probe(self) -> Call[Any]:
        return endpoints.list_numbers(take=1)

    def create_number(
        self, phone_number: str, credentials_id: str, **configuration: Unpack[Configuration]
    ) -> PhoneNumber:
        """
        Create a number. If the outcome is unknown, look for the number before posting again.

        :param phone_number: 1 to 255 characters, in the SIP provider's format.
        :param credentials_id: The SIP credentials, a uuid; unique together with ``phone_number``.
        :param configuration: ``display_name`` and ``description``, at most 255 characters each, and
            ``registration``, whether the number registers with the SIP provider (off by default).
        """
        return self.run(writes.create_number(phone_number, credentials_id, **configuration))[0]

    async def acreate_number(
        self, phone_number: str, credentials_id: str, **configuration: Unpack[Configuration]
    ) -> PhoneNumber:
        """Do what :meth:`create_number` does, asynchronously."""
        return (await self.arun(writes.create_number(phone_number, credentials_id, **configuration)))[0]

    def get_number(self, number_id: str) -> PhoneNumber:
        """
        Read a number.

        :param number_id: The number, a uuid.
        """
        return self.send(endpoints.get_number, number_id)

    async def aget_number(self, number_id: str) -> PhoneNumber:
        """Do what :meth:`get_number` does, asynchronously."""
        return await self.asend(endpoints.get_number, number_id)

    def update_number(
        self, number_id: str, phone_number: str, credentials_id: str, **configuration: Unpack[Configuration]
    ) -> PhoneNumber:
        """
        Replace a number's whole configuration: settings that are left out are reset.

        :param number_id: The number, a uuid. The other parameters are those of :meth:`create_number`.
        """
        return self.run(writes.update_number(number_id, phone_number, credentials_id, **configuration))

    async def aupdate_number(
        self, number_id: str, phone_number: str, credentials_id: str, **configuration: Unpack[Configuration]
    ) -> PhoneNumber:
        """Do what :meth:`update_number` does, asynchronously."""
        return await self.arun(writes.update_number(number_id, phone_number, credentials_id, **configuration))

    def list_numbers(self, **filters: Unpack[Filters]) -> list[PhoneNumber]:
        """
        Read all numbers that match, in pages of 1,000.

        :param filters: ``phone_number`` (exactly as written), ``linked_agent_id`` (whose inbound calls go to
            this agent), ``unlinked_only`` (whose inbound calls go to nobody), ``provider_id`` (a uuid).
        """
        return self.run(reads.all_numbers(**filters))

    async def alist_numbers(self, **filters: Unpack[Filters]) -> list[PhoneNumber]:
        """Do what :meth:`list_numbers` does, asynchronously."""
        return await self.arun(reads.all_numbers(**filters))

    def iter_numbers(self, **filters: Unpack[Filters]) -> Iterator[PhoneNumber]:
        """
        Read all numbers that match, one after the other, with no more than a page of 1,000 in memory.

        :param filters: The filters of :meth:`list_numbers`.
        """
        listing = Listing(keep=False)
        while listing.goes_on:
            yield from self.run(reads.next_numbers(listing, **filters))

    async def aiter_numbers(self, **filters: Unpack[Filters]) -> AsyncIterator[PhoneNumber]:
        """Do what :meth:`iter_numbers` does, asynchronously."""
        listing = Listing(keep=False)
        while listing.goes_on:
            for number in await self.arun(reads.next_numbers(listing, **filters)):
                yield number

    def find_number(self, phone_number: str, credentials_id: str) -> PhoneNumber | None:
        """Find the number with exactly this (phone number, credentials) pair; None if there is none."""
        return self.run(reads.find_number(phone_number, credentials_id))

    async def afind_number(self, phone_number: str, credentials_id: str) -> PhoneNumber | None:
        """Do what :meth:`find_number` does, asynchronously."""
        return await self.arun(reads.find_number(phone_number, credentials_id))

    def list_credentials(self) -> list[SipCredentials]:
        """Read the SIP credentials (``GET /api/v1/sip-credentials``), without their passwords, which are never kept."""
        return self.run(lists.all_credentials())

    async def alist_credentials(self) -> list[SipCredentials]:
        """Do what :meth:`list_credentials` does, asynchronously."""
        return await self.arun(lists.all_credentials())

    def list_agents(self) -> list[Agent]:
        """Read the agents (``GET /api/v1/agents``): id, name, whether they are enabled, their caller IDs as text."""
        return self.run(lists.all_agents())

    async def alist_agents(self) -> list[Agent]:
        """Do what :meth:`list_agents` does, asynchronously."""
        return await self.arun(lists.all_agents())

    def outbound_links(self) -> dict[str, str]:
        """
        Read which number each agent of the organisation calls out with: agent id to number id.

        This takes a request for each page of 1,000 numbers and for each SIP credential. Agents that call out with no
        number, or use one in a way that is unknown here, are missing.
        """
        return self.run(outbound.outbound_links())

    async def aoutbound_links(self) -> dict[str, str]:
        """Do what :meth:`outbound_links` does, asynchronously."""
        return await self.arun(outbound.outbound_links())

    def judge(self, numbers: Iterable[PhoneNumber | str | UUID]) -> dict[str, Judgement]:
        """
        Judge registrations by the connection's rules, as the sensor does.

        :param numbers: Ids or phone numbers, which are read with as few requests as possible; or numbers that were
            read before, for which nothing is sent.
        :return: By the number's id, its verdict (``active``, ``failed``, ``waiting``, ``never`` or ``gone``), its state
            and a description for people.
        """
        return self.run(judgements(list(numbers)))

    async def ajudge(self, numbers: Iterable[PhoneNumber | str | UUID]) -> dict[str, Judgement]:
        """Do what :meth:`judge` does, asynchronously."""
        return await self.arun(judgements(list(numbers)))

    def link(
        self,
        number_id: str,
        agent_id: str,
        mode: LinkMode = "inbound",
        *,
        credentials_id: str | None = None,
    ) -> PhoneNumber:
        """
        Link a number to an agent, whichever agent has it now.

        If the outcome of an inbound link is unknown and another agent has the number afterwards, the link is not
        repeated.

        :param number_id: The number, by id or phone number.
        :param agent_id: The agent.
        :param mode: ``inbound``: the agent answers the number's calls, instead of any other agent.
            ``replaceOutbound``: the number becomes the agent's one outbound number.
        :param credentials_id: The SIP credentials of a number that is named by phone number.
        """
        link = partial(writes.link, agent_id=agent_id, mode=mode)
        return self.run(for_number(link, number_id, credentials_id=credentials_id))

    async def alink(
        self,
        number_id: str,
        agent_id: str,
        mode: LinkMode = "inbound",
        *,
        credentials_id: str | None = None,
    ) -> PhoneNumber:
        """Do what :meth:`link` does, asynchronously."""
        link = partial(writes.link, agent_id=agent_id, mode=mode)
        return await self.arun(for_number(link, number_id, credentials_id=credentials_id))

    def unlink(
        self,
        number_id: str,
        mode: LinkMode = "inbound",
        agent_id: str | None = None,
        *,
        credentials_id: str | None = None,
    ) -> PhoneNumber:
        """
        Unlink a number.

        :param number_id: The number, by id or phone number.
        :param mode: ``inbound`` takes it from whichever agent has it now, ``replaceOutbound`` from ``agent_id``.
        :param agent_id: The agent; needed for ``replaceOutbound``.
        :param credentials_id: The SIP credentials of a number that is named by phone number.
        """
        unlink = partial(writes.unlink, mode=mode, agent_id=agent_id)
        return self.run(for_number(unlink, number_id, credentials_id=credentials_id))

    async def aunlink(
        self,
        number_id: str,
        mode: LinkMode = "inbound",
        agent_id: str | None = None,
        *,
        credentials_id: str | None = None,
    ) -> PhoneNumber:
        """Do what :meth:`unlink` does, asynchronously."""
        unlink = partial(writes.unlink, mode=mode, agent_id=agent_id)
        return await self.arun(for_number(unlink, number_id, credentials_id=credentials_id))

    def affected_agents(self, number_id: str) -> AffectedAgents:
        """
        Read which agents use a number: the one way to see outbound links.

        :param number_id: The number, a uuid.
        """
        return self.send(endpoints.affected_agents, number_id)

    async def aaffected_agents(self, number_id: str) -> AffectedAgents:
        """Do what :meth:`affected_agents` does, asynchronously."""
        return await self.asend(endpoints.affected_agents, number_id)

    def delete_number(
        self, number_id: str, *, force: bool = False, credentials_id: str | None = None
    ) -> None:
        """
        Delete a number, by its provider's endpoint if it has one.

        It is read first, to learn whether a provider manages it. If the outcome of the delete is unknown and the
        number is gone afterwards, this is success.

        :param number_id: The number, by id or phone number.
        :param force: Also unlink the agents that use it; without it the vendor refuses with 409.
        :param credentials_id: The SIP credentials of a number that is named by phone number.
        """
        delete = partial(deletes.delete_number, force=force)
        self.run(for_number(delete, number_id, credentials_id=credentials_id))

    async def adelete_number(
        self, number_id: str, *, force: bool = False, credentials_id: str | None = None
    ) -> None:
        """Do what :meth:`delete_number` does, asynchronously."""
        delete = partial(deletes.delete_number, force=force)
        await self.arun(for_number(delete, number_id, credentials_id=credentials_id))

    async def acreate_many(
        self, numbers: Iterable[Item], *, concurrency: int = bulk.CONCURRENCY
    ) -> list[BulkResult[PhoneNumber]]:
        """
        Create many numbers.

        All arguments are checked before the first request is sent. If a number fails, its result has the error, which
        names the number. A number that is given twice is created once, and both results have it.

        :param numbers: Parameters of :meth:`create_number`, a mapping for each number.
        :param concurrency: How many numbers are worked on at once; ``requests_per_second`` applies to all together.
        :return: The results in the order of ``numbers``; ``airflow_provider_phonelink.hooks.bulk.rows`` makes a
            row of each.
        """
        jobs = bulk.prepared(
            numbers, endpoints.create_number, lambda call, _: _created(call), one_of=writes.pair_of
        )
        return await self._do_many(jobs, concurrency, "Create numbers")

    async def alink_many(
        self, links: Iterable[Item], *, concurrency: int = bulk.CONCURRENCY
    ) -> list[BulkResult[PhoneNumber]]:
        """
        Link many numbers; see :meth:`acreate_many`.

        Phone numbers are looked up with one read for all; if one of them belongs to no number, or to several, nothing
        is linked.

        :param links: Parameters of :meth:`link`, a mapping for each link. A number that is to be linked to two inbound
            agents, or an agent to two outbound numbers, is refused before anything is sent.
        :param concurrency: How many numbers are worked on at once.
        """
        jobs = bulk.prepared(
            await self._with_ids(links, endpoints.link),
            endpoints.link,
            lambda call, item: writes.send_link(call, item["number_id"]),
            one_of=lambda call: (
                call.path if call.params["mode"] == "inbound" else ("outbound", call.params["agentId"])
            ),
        )
        return await self._do_many(jobs, concurrency, "Link numbers")

    async def aunlink_many(
        self, links: Iterable[Item], *, concurrency: int = bulk.CONCURRENCY
    ) -> list[BulkResult[PhoneNumber]]:
        """
        Unlink many numbers; see :meth:`alink_many`.

        :param links: Parameters of :meth:`unlink`, a mapping for each link.
        :param concurrency: How many numbers are worked on at once.
        """
        jobs = bulk.prepared(
            await self._with_ids(links, endpoints.unlink),
            endpoints.unlink,
            lambda call, item: writes.send_unlink(call, item["number_id"]),
            one_of=lambda call: (call.path, *call.params.items()),
        )
        return await self._do_many(jobs, concurrency, "Unlink numbers")

    async def _with_ids(self, items: Iterable[Item], endpoint: Callable[..., Call[Any]]) -> list[Item]:
        """Check items for an endpoint, and return them with the ids of their numbers."""
        items = bulk.checked(items, partial(_checked, endpoint))
        names: defaultdict[str | None, list[object]] = defaultdict(list)
        for item in items:
            names[item.get("credentials_id")].append(item["number_id"])
        ids = {
            credentials_id: (
                await self.arun(numbers_named(wanted, "number_id", credentials_id=credentials_id))
            ).ids
            for credentials_id, wanted in names.items()
        }
        found: list[Item] = []
        for item in items:
            name = arguments.number_name("number_id", item["number_id"], uuids=True)
            kept = {key: value for key, value in item.items() if key != "credentials_id"}
            found.append({**kept, "number_id": ids[item.get("credentials_id")][name]})
        return found

    async def _do_many(
        self, jobs: list[Job[PhoneNumber]], concurrency: int, what: str
    ) -> list[BulkResult[PhoneNumber]]:
        return await bulk.carry_out(jobs, self.arun, concurrency=concurrency, log=self.log, what=what)


def _created(call: Call[PhoneNumber]) -> Flow[PhoneNumber]:
    return (yield from writes.send_creation(call))[0]


def _checked(
    endpoint: Callable[..., Call[Any]],
    number_id: object,
    *rest: Any,
    credentials_id: object = None,
    **options: Any,
) -> None:
    """Check the arguments of an endpoint, with a number that may be named by phone number."""
    arguments.number_name("number_id", number_id, uuids=True)
    if credentials_id is not None:
        arguments.uuid("credentials_id", credentials_id)
    endpoint(ANY_NUMBER, *rest, **options)
