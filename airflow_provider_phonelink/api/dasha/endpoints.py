"""
The endpoints of Dasha BlackBox, each described once.

From the vendor's pages on phone numbers (create, list, get, update, which is a full replacement, delete, link, unlink,
affected agents), SIP credentials, agents and providers. Every function checks its arguments and returns the call;
nothing is sent here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, TypeVar

from airflow_provider_phonelink.api import arguments, dasha
from airflow_provider_phonelink.api.calls import Call, or_nothing, path
from airflow_provider_phonelink.api.e164 import same_number
from airflow_provider_phonelink.api.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.dasha.models import (
        AffectedAgents,
        AgentPage,
        CredentialsUsers,
        PhoneNumber,
        PhoneNumberPage,
        Provider,
        SipCredentialsPage,
    )

T = TypeVar("T")

LinkMode: TypeAlias = Literal["inbound", "replaceOutbound"]
LINK_MODES = ("inbound", "replaceOutbound")
LARGEST_PAGE = 1000
LARGEST_SKIP = 2_147_483_647


class Configuration(TypedDict, total=False):
    """The optional settings of a number that is created or updated."""

    #: Caller ID name, at most 255 characters.
    display_name: str | None
    #: At most 255 characters.
    description: str | None
    #: Whether the number registers with the SIP provider; off by default.
    registration: bool


class Filters(TypedDict, total=False):
    """What a list of numbers can be filtered by."""

    #: Only this phone number.
    phone_number: str | None
    #: Only numbers that are linked to this agent.
    linked_agent_id: str | None
    #: Only numbers that are linked to no agent.
    unlinked_only: bool
    #: Only numbers that this provider manages, a uuid.
    provider_id: str | None


NUMBERS = "/api/v1/sip-phone-numbers"
NUMBER = NUMBERS + "/{number_id}"
AGENT_LINK = NUMBER + "/agent-link"
AFFECTED_AGENTS = NUMBER + "/affected-agents"
CREDENTIALS = "/api/v1/sip-credentials"
ONE_CREDENTIALS = CREDENTIALS + "/{credentials_id}"
CREDENTIALS_AGENTS = ONE_CREDENTIALS + "/affected-agents"
AGENTS = "/api/v1/agents"
PROVIDER = "/api/v1/providers/{provider_id}"
TWILIO_NUMBER = "/api/v1/providers/twilio/{provider_id}/phone-numbers/{number_id}"


def create_number(
    phone_number: str,
    credentials_id: str,
    *,
    display_name: str | None = None,
    description: str | None = None,
    registration: bool = False,
) -> Call[PhoneNumber]:
    """
    Create a number (``POST /api/v1/sip-phone-numbers``). Not repeatable.

    :param phone_number: 1 to 255 characters, in the SIP provider's format.
    :param credentials_id: The SIP credentials, a uuid. The pair with ``phone_number`` is unique.
    :param display_name: Caller ID name, at most 255 characters.
    :param description: At most 255 characters.
    :param registration: Whether the number registers with the SIP provider.
    """
    body = _configuration(phone_number, credentials_id, display_name, description, registration)
    return Call(method="POST", path=NUMBERS, body=body, read=_reads_pair(body))


def update_number(
    number_id: str,
    phone_number: str,
    credentials_id: str,
    *,
    display_name: str | None = None,
    description: str | None = None,
    registration: bool = False,
) -> Call[PhoneNumber | None]:
    """
    Replace a number's whole configuration (``PUT /api/v1/sip-phone-numbers/{id}``).

    A field that is left out is reset to its default. Takes the parameters of :func:`create_number`.
    """
    number_id = arguments.uuid("number_id", number_id)
    return Call(
        method="PUT",
        path=path(NUMBER, number_id=number_id),
        body=_configuration(phone_number, credentials_id, display_name, description, registration),
        read=or_nothing(_reads_number(number_id)),
        repeatable=True,
    )


def get_number(number_id: str) -> Call[PhoneNumber]:
    """Read a number (``GET /api/v1/sip-phone-numbers/{id}``)."""
    number_id = arguments.uuid("number_id", number_id)
    return Call(
        method="GET", path=path(NUMBER, number_id=number_id), read=_reads_number(number_id), repeatable=True
    )


def list_numbers(
    *,
    phone_number: str | None = None,
    linked_agent_id: str | None = None,
    unlinked_only: bool = False,
    provider_id: str | None = None,
    skip: int = 0,
    take: int = 20,
) -> Call[PhoneNumberPage]:
    """
    Read one page of the list (``GET /api/v1/sip-phone-numbers``).

    How the vendor applies the filters is not documented: check every match.

    :param phone_number: Filter by phone number.
    :param linked_agent_id: Filter by linked agent.
    :param unlinked_only: Only numbers that are linked to no agent.
    :param provider_id: Filter by the provider that manages the number, a uuid.
    :param skip: Items to skip, 0 to 2147483647.
    :param take: Items to return, 1 to 1000.
    """
    params = _page_params(skip, take)
    if phone_number is not None:
        params["phoneNumber"] = arguments.phone_number("phone_number", phone_number)
    if linked_agent_id is not None:
        params["linkedAgentId"] = arguments.opaque_id("linked_agent_id", linked_agent_id)
    if arguments.boolean("unlinked_only", unlinked_only):
        params["unlinkedOnly"] = "true"
    if provider_id is not None:
        params["providerId"] = arguments.uuid("provider_id", provider_id)
    return Call(
        method="GET",
        path=NUMBERS,
        params=params,
        read=dasha.models.PhoneNumberPage.model_validate_json,
        repeatable=True,
    )


def link(number_id: str, agent_id: str, mode: str = "inbound") -> Call[PhoneNumber | None]:
    """
    Link a number to an agent (``PUT /api/v1/sip-phone-numbers/{id}/agent-link``).

    ``inbound`` takes the number over from whichever agent has it. It is not repeatable, because somebody else may
    have linked the number in the meantime. ``replaceOutbound`` makes it the agent's one outbound number.

    :param number_id: The number, a uuid.
    :param agent_id: The agent, an opaque string.
    :param mode: ``inbound`` or ``replaceOutbound``.
    """
    number_id = arguments.uuid("number_id", number_id)
    mode = arguments.choice("mode", mode, LINK_MODES)
    return Call(
        method="PUT",
        path=path(AGENT_LINK, number_id=number_id),
        params={"agentId": arguments.agent_id("agent_id", agent_id), "mode": mode},
        read=or_nothing(_reads_number(number_id)),
        repeatable=mode == "replaceOutbound",
    )


def unlink(number_id: str, mode: str = "inbound", agent_id: str | None = None) -> Call[PhoneNumber | None]:
    """
    Unlink a number (``DELETE /api/v1/sip-phone-numbers/{id}/agent-link``).

    ``inbound`` takes the number from whichever agent has it now, so it is not repeatable.

    :param number_id: The number, a uuid.
    :param mode: ``inbound`` or ``replaceOutbound``.
    :param agent_id: The agent; needed for ``replaceOutbound``, sent for ``inbound`` when known.
    """
    number_id = arguments.uuid("number_id", number_id)
    params = {"mode": arguments.choice("mode", mode, LINK_MODES)}
    if agent := losing_agent(mode, agent_id):
        params["agentId"] = agent
    return Call(
        method="DELETE",
        path=path(AGENT_LINK, number_id=number_id),
        params=params,
        read=or_nothing(_reads_number(number_id)),
        repeatable=mode == "replaceOutbound",
    )


def losing_agent(mode: str, agent_id: str | None) -> str | None:
    """
    Return the agent that an unlink takes the number from, checked; None for whoever has it.

    :raises InvalidArgumentError: If no agent is given for ``replaceOutbound``.
    """
    if agent_id is not None:
        return arguments.opaque_id("agent_id", agent_id)
    if mode == "replaceOutbound":
        raise InvalidArgumentError(
            "agent_id", "is needed with mode 'replaceOutbound', to say which agent loses the number."
        )
    return None


def affected_agents(number_id: str) -> Call[AffectedAgents]:
    """
    Read which agents use a number (``GET /api/v1/sip-phone-numbers/{id}/affected-agents``).

    The only documented way to see outbound links.
    """
    number_id = arguments.uuid("number_id", number_id)
    return Call(
        method="GET",
        path=path(AFFECTED_AGENTS, number_id=number_id),
        read=_checked(
            dasha.models.AffectedAgents.model_validate_json, lambda answer: _same_id(answer.id, number_id)
        ),
        repeatable=True,
    )


def credentials_users(credentials_id: str) -> Call[CredentialsUsers]:
    """
    Read which agents use the numbers of a credential (``GET /api/v1/sip-credentials/{id}/affected-agents``).

    The outbound links of all its numbers in one request.

    :param credentials_id: The SIP credentials, a uuid.
    """
    credentials_id = arguments.uuid("credentials_id", credentials_id)
    return Call(
        method="GET",
        path=path(CREDENTIALS_AGENTS, credentials_id=credentials_id),
        read=dasha.models.CredentialsUsers.model_validate_json,
        repeatable=True,
    )


def list_credentials(*, skip: int = 0, take: int = LARGEST_PAGE) -> Call[SipCredentialsPage]:
    """
    Read a page of the SIP credentials (``GET /api/v1/sip-credentials``), without their passwords.

    :param skip: Items to skip, 0 to 2147483647.
    :param take: Items to return, 1 to 1000.
    """
    return Call(
        method="GET",
        path=CREDENTIALS,
        params=_page_params(skip, take),
        read=dasha.models.SipCredentialsPage.model_validate_json,
        repeatable=True,
    )


def list_agents(*, skip: int = 0, take: int = 100) -> Call[AgentPage]:
    """
    Read the agents (``GET /api/v1/agents``), or a page of them: both are documented.

    :param skip: Items to skip, 0 to 2147483647.
    :param take: Items to return, 1 to 1000; few, because each comes with its whole configuration.
    """
    return Call(
        method="GET",
        path=AGENTS,
        params=_page_params(skip, take),
        read=dasha.models.AgentPage.model_validate_json,
        repeatable=True,
    )


def _page_params(skip: int, take: int) -> dict[str, str]:
    return {
        "skip": str(arguments.integer("skip", skip, lowest=0, highest=LARGEST_SKIP)),
        "take": str(arguments.integer("take", take, lowest=1, highest=LARGEST_PAGE)),
    }


def delete_number(number_id: str, *, force: bool = False) -> Call[None]:
    """
    Delete a number (``DELETE /api/v1/sip-phone-numbers/{id}``). Not repeatable.

    What this does with a number that a provider manages is not documented: its own endpoint takes it off the trunk.

    :param number_id: The number, a uuid.
    :param force: Also unlink the agents that use it; without it the vendor refuses with 409.
    """
    number_id = arguments.uuid("number_id", number_id)
    return Call(method="DELETE", path=path(NUMBER, number_id=number_id), params=_forced(force), read=_nothing)


def delete_twilio_number(provider_id: str, number_id: str, *, force: bool = False) -> Call[None]:
    """
    Delete a number of a Twilio provider (``DELETE /api/v1/providers/twilio/{provider_id}/phone-numbers/{id}``).

    It is taken off the provider's trunk. Not repeatable.

    :param provider_id: The provider, a uuid.
    :param number_id: The number, a uuid.
    :param force: Also unlink the agents that use it; without it the vendor refuses with 409.
    """
    ids = {
        "provider_id": arguments.uuid("provider_id", provider_id),
        "number_id": arguments.uuid("number_id", number_id),
    }
    return Call(method="DELETE", path=path(TWILIO_NUMBER, **ids), params=_forced(force), read=_nothing)


def get_provider(provider_id: str) -> Call[Provider]:
    """Read what kind of provider one is (``GET /api/v1/providers/{id}``); ``provider_id`` is a uuid."""
    return Call(
        method="GET",
        path=path(PROVIDER, provider_id=arguments.uuid("provider_id", provider_id)),
        read=dasha.models.Provider.model_validate_json,
        repeatable=True,
    )


def _forced(force: bool) -> dict[str, str]:
    return {"force": "true"} if arguments.boolean("force", force) else {}


def _configuration(
    phone_number: str,
    credentials_id: str,
    display_name: str | None,
    description: str | None,
    registration: bool,
) -> dict[str, object]:
    return {
        "phoneNumber": arguments.phone_number("phone_number", phone_number),
        "credentialsId": arguments.uuid("credentials_id", credentials_id),
        "displayName": arguments.optional_text("display_name", display_name),
        "description": arguments.optional_text("description", description),
        "registration": arguments.boolean("registration", registration),
    }


def _reads_number(number_id: str) -> Callable[[bytes], PhoneNumber]:
    return _checked(
        dasha.models.PhoneNumber.model_validate_json, lambda number: _same_id(number.id, number_id)
    )


def _reads_pair(body: dict[str, object]) -> Callable[[bytes], PhoneNumber]:
    def check(number: PhoneNumber) -> None:
        # The vendor may store another notation than it was sent.
        same = same_number(number.phone_number, str(body["phoneNumber"]))
        if not same or number.credentials_id != body["credentialsId"]:
            raise ValueError("the answer is about another phone number or other credentials")

    return _checked(dasha.models.PhoneNumber.model_validate_json, check)


def _checked(read: Callable[[bytes], T], check: Callable[[T], None]) -> Callable[[bytes], T]:
    def read_and_check(body: bytes) -> T:
        answer = read(body)
        check(answer)
        return answer

    return read_and_check


def _nothing(body: bytes) -> None:
    """Accept a success with or without JSON, but not a gateway's HTML page."""
    if body.strip():
        json.loads(body)


def _same_id(answered: str, asked: str) -> None:
    if answered != asked:
        raise ValueError(f"the answer is about the id {answered}, not {asked}")
