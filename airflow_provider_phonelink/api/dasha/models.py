"""Models of Dasha BlackBox, from the pages on its ``sip-phone-numbers`` endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    model_validator,
)
from pydantic.alias_generators import to_camel

from airflow_provider_phonelink.api.field_types import UNREADABLE, BoundedList, Id, OptionalId, OrNone
from airflow_provider_phonelink.api.labels import number_label

if TYPE_CHECKING:
    from collections.abc import Iterable


def _no_list(items: object) -> object:
    """Read null as an empty list."""
    return [] if items is None else items


#: The words in ``uses`` that mean an outbound link, unless the connection has others. The vendor does not publish them;
#: any other is left alone.
OUTBOUND_USES = ("outbound", "replaceOutbound")
INBOUND_USE = "inbound"


class _DashaModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)

    #: The fields that could not be read. They are None, which is not what the vendor has.
    unreadable: ClassVar[frozenset[str]] = frozenset()

    def model_post_init(self, _: Any, /) -> None:
        """Note unreadable fields, and drop unknown ones that would replace a known one in a dump: by Python name."""
        fields = self.__dict__
        if unreadable := frozenset(name for name, value in fields.items() if value is UNREADABLE):
            fields.update(dict.fromkeys(unreadable), unreadable=unreadable)
        if extra := self.__pydantic_extra__:
            for name in extra.keys() & type(self).model_fields.keys():
                del extra[name]


def _no_state(_: object) -> str:
    return ""


class RegistrationStatus(_DashaModel):
    """The SIP registration of a number; ``state`` is the vendor's literal, whatever it is."""

    #: Empty if it cannot be read.
    state: Annotated[str | Annotated[str, PlainValidator(_no_state)], Field(union_mode="left_to_right")] = ""
    error_description: OrNone[str] = None
    sip_response_message: OrNone[str] = None
    last_updated: OrNone[datetime] = None
    expires_at: OrNone[datetime] = None


def _no_status(_: object) -> RegistrationStatus:
    return RegistrationStatus()


class PhoneNumber(_DashaModel):
    """
    A SIP phone number.

    The vendor calls more fields required than these. An answer without those that nothing here depends on, or in which
    they cannot be read, is still usable.
    """

    id: Id
    phone_number: str
    credentials_id: Id
    registration_status: Annotated[
        RegistrationStatus | Annotated[RegistrationStatus, PlainValidator(_no_status)],
        Field(union_mode="left_to_right"),
    ] = RegistrationStatus()
    org_id: OrNone[str] = None
    created_time: OrNone[datetime] = None
    last_update_time: OrNone[datetime] = None
    description: OrNone[str] = None
    display_name: OrNone[str] = None
    registration: OrNone[bool] = None
    provider_id: OptionalId = None
    #: The agent that answers the number's calls; None if there is none.
    incoming_calls_agent_id: OptionalId = None

    @property
    def label(self) -> str:
        """How a message refers to this number."""
        return number_label(self.id, self.phone_number)


class PhoneNumberPage(_DashaModel):
    """A page of a list."""

    items: BoundedList[PhoneNumber]
    total_count: int
    skip: int
    take: int


class AffectedAgent(_DashaModel):
    """An agent that uses a number. Not all words in ``uses`` are published."""

    agent_id: Id
    agent_name: OrNone[str] = None
    uses: BoundedList[str]
    _outbound_uses: frozenset[str] = PrivateAttr(frozenset(use.lower() for use in OUTBOUND_USES))

    @property
    def calls_out(self) -> bool | None:
        """Whether the agent calls out with the number; None if a word is unknown here and may mean that."""
        uses = {use.lower() for use in self.uses}
        if uses & self._outbound_uses:
            return True
        return None if self.unknown_uses else False

    @property
    def unknown_uses(self) -> list[str]:
        """The words in ``uses`` that stand for neither an inbound nor an outbound link, as far as is known here."""
        return [use for use in self.uses if use.lower() not in {INBOUND_USE, *self._outbound_uses}]

    def read_by(self, outbound_uses: Iterable[str]) -> None:
        """Take these words, and no others, for outbound links; case does not matter."""
        self._outbound_uses = frozenset(use.lower() for use in outbound_uses)


class AffectedAgents(_DashaModel):
    """The agents that use a number, inbound or outbound."""

    id: Id
    phone_number: OrNone[str] = None
    affected_agents: Annotated[BoundedList[AffectedAgent], BeforeValidator(_no_list)]

    def read_by(self, outbound_uses: Iterable[str]) -> None:
        """Take these words, and no others, for outbound links."""
        for agent in self.affected_agents:
            agent.read_by(outbound_uses)

    @property
    def outbound(self) -> frozenset[str]:
        """Ids of the agents that call out with the number."""
        return frozenset(agent.agent_id for agent in self.affected_agents if agent.calls_out)

    @property
    def maybe_outbound(self) -> frozenset[str]:
        """Ids of the agents that may call out with the number: they use it in a way that is unknown here."""
        return frozenset(agent.agent_id for agent in self.affected_agents if agent.calls_out is None)


class CredentialsUsers(_DashaModel):
    """The agents that use the numbers of one SIP credential, number by number."""

    phone_numbers: Annotated[BoundedList[AffectedAgents], BeforeValidator(_no_list)]
    affected_calls_count: OrNone[int] = None

    def read_by(self, outbound_uses: Iterable[str]) -> None:
        """Take these words, and no others, for outbound links."""
        for number in self.phone_numbers:
            number.read_by(outbound_uses)


class SipCredentials(_DashaModel):
    """
    SIP credentials, by which numbers register with their provider.

    The vendor sends their password in the clear: it is dropped as the answer is read.
    """

    id: Id
    org_id: OrNone[str] = None
    server: OrNone[str] = None
    #: ``udp``, ``tcp`` or ``tls``.
    transport: OrNone[str] = None
    #: ``manual`` or ``provider``.
    source: OrNone[str] = None
    domain: OrNone[str] = None
    auth_user: OrNone[str] = None
    description: OrNone[str] = None
    #: Calls a second, at most.
    cps_limit: OrNone[int | float] = None
    cps_key: OrNone[str] = None
    provider_id: OptionalId = None

    @model_validator(mode="before")
    @classmethod
    def _drop_passwords(cls, answer: Any) -> Any:
        if not isinstance(answer, dict):
            return answer
        return {name: value for name, value in answer.items() if "password" not in name.lower()}


class SipCredentialsPage(_DashaModel):
    """A page of a list of credentials."""

    items: BoundedList[SipCredentials]
    total_count: int
    skip: int
    take: int


class Agent(_DashaModel):
    """A voice agent, without its configuration, which may hold prompts and keys of other services."""

    agent_id: Id
    name: OrNone[str] = None
    is_enabled: OrNone[bool] = None
    #: The caller ID as text: for people only, since it does not say which number it is.
    caller_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _keep_only_the_caller_id(cls, answer: Any) -> Any:
        if not isinstance(answer, dict):
            return answer
        config = answer.get("config")
        sip = config.get("outboundSipConfig") if isinstance(config, dict) else None
        caller_id = sip.get("fromUser") if isinstance(sip, dict) else None
        rest = {name: value for name, value in answer.items() if name != "config"}
        return {**rest, "callerId": caller_id if isinstance(caller_id, str) else None}


class AgentPage(_DashaModel):
    """``[agent, ...]``, as documented, or a page of them."""

    items: BoundedList[Agent]
    total_count: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _wrap_bare_array(cls, answer: Any) -> Any:
        return {"items": answer} if isinstance(answer, list) else answer


class Provider(_DashaModel):
    """Who manages numbers, such as Twilio; without its configuration, which may hold keys of that account."""

    #: ``twilio`` or another literal, in lower case; None if the answer does not say.
    kind: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _keep_only_the_kind(cls, answer: Any) -> Any:
        if not isinstance(answer, dict):
            return answer
        # Which field has it is not documented.
        kinds = (answer.get(name) for name in ("type", "kind", "providerType", "provider"))
        return {"kind": next((kind.lower() for kind in kinds if isinstance(kind, str)), None)}
