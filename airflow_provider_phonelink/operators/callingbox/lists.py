"""List numbers and agents (CallingBox)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.results import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

AgentType: TypeAlias = Literal["inbound", "outbound"]


class CallingBoxListNumbersOperator(CallingBoxOperator):
    """
    List the phone numbers that the organisation owns at CallingBox: all that match, newest first.

    The task only reads, so it can be retried at any time. All filters that are given have to match. If a filter comes
    from an XCom, variable or parameter that is missing, the task fails rather than list everything.

    Returns a list in the vendor's order: of dicts with the fields of each number in snake case, or of the chosen
    ``fields``.

    From the vendor's page on listing numbers.

    If a filter by agents is given and a number does not say where it is attached, the task fails rather than take it
    for unattached.

    :param agent_id: Only numbers that are attached to this agent, inbound or outbound. (templated)
    :param unattached_only: Only numbers that are attached to no agent; False by default. (templated)
    :param fields: The fields to return: a list of names for a list of dicts; one name, such as ``"id"``, for a list
        of values; None (default) for all fields. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    """

    template_fields: Sequence[str] = ("agent_id", "unattached_only", "fields", "callingbox_conn_id")

    def __init__(
        self,
        *,
        agent_id: str | None = None,
        unattached_only: bool | str = False,
        fields: str | Sequence[str] | None = None,
        callingbox_conn_id: str = "callingbox_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.agent_id = agent_id
        self.unattached_only = unattached_only
        self.fields = fields
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)

    def execute(self, context: Context) -> list[Any]:
        """Read all pages."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.callingbox.models import Number
        from airflow_provider_phonelink.api.callingbox.reads import all_numbers, holders
        from airflow_provider_phonelink.exceptions import as_airflow_exceptions

        hook = self.hook  # refuses what rendered to nothing
        with as_airflow_exceptions():
            agent_id = None if self.agent_id is None else arguments.opaque_id("agent_id", self.agent_id)
            unattached = arguments.boolean("unattached_only", self.unattached_only)
            choose = chosen(Number, self.fields)
        with hook, as_airflow_exceptions():
            numbers = hook.run(all_numbers())
            found = numbers
            if agent_id is not None or unattached:
                found = [number for number in numbers if _matches(holders(number), agent_id, unattached)]
        self.log.info("%d of %d numbers match.", len(found), len(numbers))
        return choose(found)


def _matches(holders: tuple[str | None, list[str]], agent_id: str | None, unattached: bool) -> bool:
    inbound, outbound = holders
    attached = [holder for holder in (inbound, *outbound) if holder]
    return (agent_id is None or agent_id in attached) and not (unattached and attached)


class CallingBoxListAgentsOperator(CallingBoxOperator):
    """
    List the organisation's agents at CallingBox.

    The task only reads, so it can be retried at any time. Archived agents, which answer no calls, are left out unless
    they are asked for; the vendor does not say whether it lists them.

    Returns a list in the vendor's order: of dicts with the fields of each agent in snake case, or of the chosen
    ``fields``. Choose fields if there are many, because each comes with its instructions. ``numbers`` is None, for the
    vendor shows an agent's numbers only where it is read alone.

    From the vendor's page on listing agents.

    :param type: Only agents of this type, ``inbound`` or ``outbound``; None (default) for both. (templated)
    :param archived: Whether to list archived agents, too; False by default. (templated)
    :param fields: The fields to return: a list of names for a list of dicts; one name, such as ``"id"``, for a list
        of values; None (default) for all fields. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    """

    template_fields: Sequence[str] = ("type", "archived", "fields", "callingbox_conn_id")

    def __init__(
        self,
        *,
        type: AgentType | None = None,  # noqa: A002 - the vendor's name
        archived: bool | str = False,
        fields: str | Sequence[str] | None = None,
        callingbox_conn_id: str = "callingbox_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.type = type
        self.archived = archived
        self.fields = fields
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)

    def execute(self, context: Context) -> list[Any]:
        """Read all agents."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.callingbox.endpoints import AGENT_TYPES
        from airflow_provider_phonelink.api.callingbox.models import Agent
        from airflow_provider_phonelink.api.callingbox.reads import all_agents
        from airflow_provider_phonelink.exceptions import as_airflow_exceptions

        hook = self.hook  # refuses what rendered to nothing
        with as_airflow_exceptions():
            type_ = None if self.type is None else arguments.choice("type", self.type, AGENT_TYPES)
            archived = arguments.boolean("archived", self.archived)
            choose = chosen(Agent, self.fields)
        with hook:
            agents = hook.run(all_agents(type_))
        # How the vendor applies its filter is not documented.
        found = [
            agent
            for agent in agents
            if (archived or not agent.archived) and (type_ is None or agent.type in (None, type_))
        ]
        self.log.info("%d of %d agents match.", len(found), len(agents))
        return choose(found)
