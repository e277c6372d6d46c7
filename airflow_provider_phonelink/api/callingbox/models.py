"""
Models of CallingBox, from its page on detaching a number.

Only ``id`` is sure to be sent. A field that was not sent is None here, which is not the same as an empty list:
``numbers=None`` means that the answer does not say, ``numbers=[]`` that there are none.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from airflow_provider_phonelink.api.field_types import BoundedList, Id, OptionalDate, OptionalId
from airflow_provider_phonelink.api.labels import number_label


class _CallingBoxModel(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Number(_CallingBoxModel):
    """A phone number that the organisation owns."""

    id: Id
    e164: str | None = None
    friendly_name: str | None = None
    country_code: str | None = None
    number_type: str | None = None
    status: str | None = None
    monthly_cost_cents: int | float | None = None
    purchased_at: OptionalDate = None
    #: None means "no inbound agent" only if the field was sent: see :attr:`tells_links`.
    inbound_agent_id: OptionalId = None
    #: A null that was sent means "none"; None here means that the answer did not tell.
    outbound_agent_ids: BoundedList[Id] | None = None

    @field_validator("outbound_agent_ids", mode="before")
    @classmethod
    def _null_means_none(cls, value: Any) -> Any:
        return [] if value is None else value

    @property
    def label(self) -> str:
        """How a message refers to this number."""
        return number_label(self.id, self.e164)

    @property
    def tells_links(self) -> bool:
        """Whether the answer says which agents have the number, rather than leaving it out."""
        return "inbound_agent_id" in self.model_fields_set and self.outbound_agent_ids is not None


class Agent(_CallingBoxModel):
    """A voice agent. ``type`` is ``inbound`` or ``outbound``."""

    id: Id
    org_id: str | None = None
    user_id: str | None = None
    name: str | None = None
    type: str | None = None
    persona: str | None = None
    instructions: str | None = None
    voice: str | None = None
    language: str | None = None
    returns: dict[str, Any] | None = None
    tools: BoundedList[dict[str, Any]] | None = None
    webhook_url: str | None = None
    voicemail_action: str | None = None
    primary_number_id: Id | None = None
    archived_at: OptionalDate = None
    created_at: OptionalDate = None
    updated_at: OptionalDate = None
    #: All numbers attached to the agent; sent when one agent is read or changed, not in lists.
    numbers: BoundedList[Number] | None = None

    @property
    def archived(self) -> bool:
        """Whether the agent is archived, and so answers no calls. False if the answer does not say."""
        return self.archived_at is not None


class _List(_CallingBoxModel):
    #: The id of the last one as the vendor wrote it, since the next page is asked for by it; None if it is empty.
    last_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _note_last_id(cls, answer: Any) -> Any:
        if isinstance(answer, list):
            answer = {"data": answer}
        items = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            return answer
        last = items[-1] if items and isinstance(items[-1], dict) else {}
        return {**answer, "last_id": last.get("id")}


class AgentList(_List):
    """``{"data": [agent, ...]}``."""

    data: BoundedList[Agent]
    #: None if the answer does not say.
    has_more: bool | None = None


class NumberList(_List):
    """``[number, ...]``, as documented, or ``{"data": [number, ...], "has_more": bool}``."""

    data: BoundedList[Number]
    #: None if the answer does not say, as a bare array cannot.
    has_more: bool | None = None
