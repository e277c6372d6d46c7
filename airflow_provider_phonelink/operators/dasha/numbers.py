"""Create, list, link and unlink numbers (Dasha BlackBox)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments, refuse_none
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.results import delivered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_phonelink.api.dasha.endpoints import LinkMode
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.promises.dasha.create import IfExists
    from airflow_provider_phonelink.promises.dasha.link import IfLinked
    from airflow_provider_phonelink.promises.outcomes import Changed


class DashaCreatePhoneNumberOperator(DashaOperator):
    """
    Make sure that a phone number exists: afterwards there is exactly one with this pair.

    Safe to retry: a number that is there already, or that an earlier try made, is adopted. Fails without
    a retry if the number exists and may not be adopted as it is, or if the vendor refuses it.

    Returns the number in snake case, with ``adopted`` (bool).

    :param phone_number: 1 to 255 characters, in the SIP provider's format. (templated)
    :param credentials_id: The SIP credentials, a uuid; unique together with ``phone_number``. (templated)
    :param display_name: Caller ID name, at most 255 characters. None: not named by this task. (templated)
    :param description: At most 255 characters. None: not named by this task. (templated)
    :param registration: Whether the number registers with the SIP provider. None: not named by this task, so
        off for a new number. (templated)
    :param if_exists: ``adopt`` takes an existing number as it is; another ``registration`` is an error, other
        texts are a warning. ``update`` gives it what this task names and keeps the rest. ``fail`` refuses it.
        (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = (
        "phone_number",
        "credentials_id",
        "display_name",
        "description",
        "registration",
        "if_exists",
        "dasha_conn_id",
    )
    operator_extra_links = (NumberInConsoleLink(),)

    def __init__(
        self,
        *,
        phone_number: str,
        credentials_id: str,
        display_name: str | None = None,
        description: str | None = None,
        registration: bool | str | None = None,
        if_exists: IfExists = "adopt",
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number = phone_number
        self.credentials_id = credentials_id
        self.display_name = display_name
        self.description = description
        self.registration = registration
        self.if_exists = if_exists
        self.dasha_conn_id = dasha_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Create or adopt the number."""
        from airflow_provider_phonelink.promises.dasha.create import create_number

        with self.hook as hook:
            outcome = hook.run(
                create_number(
                    self.phone_number,
                    self.credentials_id,
                    display_name=self.display_name,
                    description=self.description,
                    registration=self.registration,
                    if_exists=self.if_exists,
                )
            )
        outcome.log_to(self.log)
        self.phone_number_id = outcome.number.id  # for the link to the console
        return delivered(self, context, outcome.result())


class DashaListPhoneNumbersOperator(DashaOperator):
    """
    List phone numbers: all that match, read in pages of 1,000.

    Only reads, so safe to retry. Returns a list in the vendor's order: of numbers in snake case, or of the
    chosen fields. Choose them when many numbers match, for the list goes into Airflow's database.

    :param phone_number: Only this phone number, exactly as written. (templated)
    :param linked_agent_id: Only numbers whose inbound calls go to this agent. (templated)
    :param unlinked_only: Only numbers whose inbound calls go to nobody. (templated)
    :param provider_id: Only numbers that this provider manages, a uuid. (templated)
    :param fields: Fields to return: a list of names for a list of dicts, one name such as ``"id"`` for a list of
        its values, None for everything. (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = (
        "phone_number",
        "linked_agent_id",
        "unlinked_only",
        "provider_id",
        "fields",
        "dasha_conn_id",
    )

    def __init__(
        self,
        *,
        phone_number: str | None = None,
        linked_agent_id: str | None = None,
        unlinked_only: bool | str = False,
        provider_id: str | None = None,
        fields: str | Sequence[str] | None = None,
        dasha_conn_id: str = "dasha_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.phone_number = phone_number
        self.linked_agent_id = linked_agent_id
        self.unlinked_only = unlinked_only
        self.provider_id = provider_id
        self.fields = fields
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self, "phone_number", "linked_agent_id", "provider_id")

    def execute(self, context: Context) -> list[Any]:
        """Read all pages."""
        from airflow_provider_phonelink.api.dasha.reads import all_numbers
        from airflow_provider_phonelink.promises.outcomes import plain

        refuse_none(self, self._given)
        fields = self._checked_fields()
        with self.hook as hook:
            numbers = hook.run(
                all_numbers(
                    phone_number=self.phone_number,
                    linked_agent_id=self.linked_agent_id,
                    unlinked_only=self.unlinked_only,
                    provider_id=self.provider_id,
                )
            )
        self.log.info("%d numbers match.", len(numbers))
        found = [plain(number, include=fields) for number in numbers]
        return [number[self.fields] for number in found] if isinstance(self.fields, str) else found

    def _checked_fields(self) -> set[str] | None:
        from airflow_provider_phonelink.api import arguments, dasha
        from airflow_provider_phonelink.exceptions import as_airflow_exceptions

        if self.fields is None:
            return None
        known = tuple(dasha.models.PhoneNumber.model_fields)
        names = [self.fields] if isinstance(self.fields, str) else self.fields
        with as_airflow_exceptions():
            return {arguments.choice("fields", name, known) for name in arguments.names("fields", names)}


class DashaLinkPhoneNumberOperator(DashaOperator):
    """
    Link a phone number to an agent: afterwards the number serves the agent in that mode.

    Safe to retry: if it is so already, nothing is written, and a try whose answer was lost is looked at
    before anything is written again. Fails without a retry if another agent has the number and may not
    lose it, or if somebody else linked it between two tries. The vendor has no conditional write, so a link
    that somebody makes in the moment between the last look and the write is overwritten.

    Returns the number in snake case, with ``changed`` (bool) and ``previous_agent_id`` (the inbound agent
    before; None for ``replaceOutbound``, for which the vendor does not tell).

    :param phone_number_id: The number, a uuid. (templated)
    :param agent_id: The agent. (templated)
    :param mode: ``inbound``: the agent answers the number's calls. ``replaceOutbound``: the number becomes
        the agent's one outbound number. (templated)
    :param if_linked: For ``inbound``: ``replace`` takes the number from whichever agent has it, ``fail``
        refuses to. (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = ("phone_number_id", "agent_id", "mode", "if_linked", "dasha_conn_id")
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        phone_number_id: str,
        agent_id: str,
        mode: LinkMode = "inbound",
        if_linked: IfLinked = "replace",
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number_id = phone_number_id
        self.agent_id = agent_id
        self.mode = mode
        self.if_linked = if_linked
        self.dasha_conn_id = dasha_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Link the number."""
        from airflow_provider_phonelink.promises.dasha.link import link_number

        with self.hook as hook:
            outcome = hook.run(
                link_number(self.phone_number_id, self.agent_id, self.mode, if_linked=self.if_linked)
            )
        outcome.log_to(self.log)
        _emit(self, context, outcome, agent_id=self.agent_id, previous=outcome.previous_agent_id)
        return delivered(self, context, outcome.result())


class DashaUnlinkPhoneNumberOperator(DashaOperator):
    """
    Unlink a phone number: afterwards this agent no longer has it.

    Safe to retry: if nobody has the number, or another agent has, nothing is written. The vendor has no
    conditional write, so a link that somebody makes in the moment between the last look and the write is
    removed.

    Returns the number in snake case, with ``changed`` (bool) and ``previous_agent_id``.

    :param phone_number_id: The number, a uuid. (templated)
    :param mode: ``inbound`` or ``replaceOutbound``. (templated)
    :param agent_id: The agent that is to lose the number. Needed for ``replaceOutbound``; without it an
        inbound unlink removes whoever is there. (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = ("phone_number_id", "mode", "agent_id", "dasha_conn_id")
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        phone_number_id: str,
        mode: LinkMode = "inbound",
        agent_id: str | None = None,
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number_id = phone_number_id
        self.mode = mode
        self.agent_id = agent_id
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self, "agent_id")

    def execute(self, context: Context) -> dict[str, Any]:
        """Unlink the number."""
        from airflow_provider_phonelink.promises.dasha.unlink import unlink_number

        refuse_none(self, self._given)
        with self.hook as hook:
            outcome = hook.run(unlink_number(self.phone_number_id, self.mode, self.agent_id))
        outcome.log_to(self.log)
        number = outcome.subject
        now = number.incoming_calls_agent_id if self.mode == "inbound" else None
        _emit(self, context, outcome, agent_id=now, previous=self.agent_id or outcome.previous_agent_id)
        return delivered(self, context, outcome.result())


def _emit(
    operator: DashaLinkPhoneNumberOperator | DashaUnlinkPhoneNumberOperator,
    context: Context,
    outcome: Changed[PhoneNumber],
    *,
    agent_id: str | None,
    previous: str | None,
) -> None:
    from airflow_provider_phonelink.operators.events import LinkChange, emit_if_changed

    number = outcome.subject
    change = LinkChange(
        vendor="dasha",
        number_id=number.id,
        phone_number=number.phone_number,
        mode=operator.mode,
        agent_id=agent_id,
        previous_agent_id=previous if previous != agent_id else None,
        changed=outcome.changed,
    )
    emit_if_changed(operator, context, change)
