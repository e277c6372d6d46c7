"""Flows that read the lists of what numbers refer to: SIP credentials and agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.errors import UnreadableAnswerError

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import (
        Agent,
        AgentPage,
        SipCredentials,
        SipCredentialsPage,
    )

#: A list with more pages than this counts as endless.
MOST_PAGES = 1_000
#: Agents come with their whole configuration, so that few of them make a page.
AGENTS_ON_A_PAGE = 100


def all_credentials() -> Flow[list[SipCredentials]]:
    """Read all SIP credentials of the organisation, without their passwords."""
    found: dict[str, SipCredentials] = {}
    skip = 0
    for _ in range(MOST_PAGES):
        page: SipCredentialsPage = yield endpoints.list_credentials(skip=skip)
        found.update({credentials.id.lower(): credentials for credentials in page.items})
        skip += len(page.items)
        if not page.items or skip >= page.total_count:
            return list(found.values())
    raise _endless(endpoints.CREDENTIALS)


def all_agents() -> Flow[list[Agent]]:
    """Read all agents of the organisation, whether the vendor pages them or not."""
    found: dict[str, Agent] = {}
    skip = 0
    for _ in range(MOST_PAGES):
        page: AgentPage = yield endpoints.list_agents(skip=skip, take=AGENTS_ON_A_PAGE)
        fresh = {agent.agent_id: agent for agent in page.items if agent.agent_id not in found}
        found.update(fresh)
        skip += len(page.items)
        whole = len(page.items) != AGENTS_ON_A_PAGE if page.total_count is None else skip >= page.total_count
        if not fresh or whole:
            return list(found.values())
    raise _endless(endpoints.AGENTS)


def _endless(path: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(f"the list goes on after {MOST_PAGES} pages.", method="GET", path=path)
