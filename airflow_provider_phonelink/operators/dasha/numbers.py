"""Create, list, link and unlink numbers (Dasha BlackBox)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.results import chosen, delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.endpoints import LinkMode
    from airflow_provider_phonelink.promises.dasha.create import IfExists, IfOtherNotation
    from airflow_provider_phonelink.promises.dasha.link import IfLinked


class DashaCreatePhoneNumberOperator(DashaOperator):
    """
    Create a phone number at Dasha BlackBox, or adopt the one that exists.

    Afterwards there is exactly one number with this pair of ``phone_number`` and ``credentials_id``. The task looks
    for it first, creates it only if there is none, and reads it again before it succeeds.

    A retry, a cleared task or a second run finds the number that an earlier try created and adopts it. The task fails
    without a retry if an existing number may not be adopted as it is, or if the vendor rejects the request. It is
    retried if the vendor does not answer, answers with 5xx or 429, or does not show what it accepted.

    Returns a dict: the number with its fields in snake case, and ``adopted`` (bool), whether it existed already.

    From the vendor's pages on creating, listing, getting and updating phone numbers.

    :param phone_number: The phone number: 1 to 255 characters, in the format that the SIP provider expects.
        (templated)
    :param credentials_id: The SIP credentials, a uuid. (templated)
    :param display_name: The caller ID name, at most 255 characters. None (default): an existing number keeps its own,
        a new one gets the vendor's default. (templated)
    :param description: A description, at most 255 characters. None (default): as for ``display_name``. (templated)
    :param registration: Whether the number registers with the SIP provider. None (default): an existing number keeps
        its setting, a new one does not register. (templated)
    :param if_exists: What to do if the number exists. ``adopt`` (default) takes it as it is: a different
        ``registration`` is an error, a different text is a warning. ``update`` gives it the settings that this task
        names and keeps the others. ``fail`` fails. (templated)
    :param if_other_notation: What to do if the same phone number exists with these credentials in another notation,
        such as ``+15550100003`` for ``+1 (555) 010-0003``. ``warn`` (default) creates this one and names the other in a
        warning, or adopts the other if the vendor takes both for the same. ``fail`` fails. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (
        "phone_number",
        "credentials_id",
        "display_name",
        "description",
        "registration",
        "if_exists",
        "if_other_notation",
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
        if_other_notation: IfOtherNotation = "warn",
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
        self.if_other_notation = if_other_notation
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)

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
                    if_other_notation=self.if_other_notation,
                )
            )
        outcome.log_to(self.log)
        self.phone_number_id = outcome.number.id  # for the link to the console
        return delivered(self, context, outcome.result())


class DashaListPhoneNumbersOperator(DashaOperator):
    """
    List phone numbers at Dasha BlackBox: all that match, read in pages of 1,000.

    The task only reads, so it can be retried at any time. All filters that are given have to match. If a filter comes
    from an XCom, variable or parameter that is missing, the task fails rather than list everything.

    Returns a list in the vendor's order: of dicts with the fields of each number in snake case, or of the chosen
    ``fields``. Choose fields if many numbers match, because the list is stored in Airflow's database.

    From the vendor's page on listing phone numbers.

    :param phone_number: Only this phone number, exactly as written. (templated)
    :param linked_agent_id: Only numbers whose inbound calls go to this agent. (templated)
    :param unlinked_only: Only numbers whose inbound calls go to no agent; False by default. (templated)
    :param provider_id: Only numbers that this provider manages, a uuid. (templated)
    :param fields: The fields to return: a list of names for a list of dicts; one name, such as ``"id"``, for a list
        of values; None (default) for all fields. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
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
        self._given = given_arguments(self)

    def execute(self, context: Context) -> list[Any]:
        """Read all pages."""
        from airflow_provider_phonelink.api import dasha
        from airflow_provider_phonelink.api.dasha.reads import all_numbers
        from airflow_provider_phonelink.exceptions import as_airflow_exceptions
        from airflow_provider_phonelink.metrics import measure_numbers
        from airflow_provider_phonelink.promises.dasha.wait import judgements

        with self.hook as hook:
            with as_airflow_exceptions():
                choose = chosen(dasha.models.PhoneNumber, self.fields)
            numbers = hook.run(
                all_numbers(
                    phone_number=self.phone_number,
                    linked_agent_id=self.linked_agent_id,
                    unlinked_only=self.unlinked_only,
                    provider_id=self.provider_id,
                )
            )
            if not any((self.phone_number, self.linked_agent_id, self.unlinked_only, self.provider_id)):
                verdicts = (judgement.verdict for judgement in hook.run(judgements(numbers)).values())
                measure_numbers("dasha", self.dasha_conn_id, verdicts)
        self.log.info("%d numbers match.", len(numbers))
        return choose(numbers)


class DashaLinkPhoneNumberOperator(DashaOperator):
    """
    Link a phone number to an agent at Dasha BlackBox.

    Afterwards the number serves the agent in this mode. The task looks first, writes only if the link does not exist,
    and reads the link again before it succeeds.

    A retry, a cleared task or a second run that finds the link writes nothing. If the answer to a write was lost, the
    task looks again before it repeats the write. It fails without a retry if another agent has the number and may not
    lose it, or if somebody else linked the number in the meantime; run again after that, it takes the number over. The
    vendor has no conditional write: a link that somebody else makes in the moment between the last look and the write
    is overwritten.

    Returns a dict: the number with its fields in snake case, ``changed`` (bool), whether a try of this task wrote, and
    ``previous_agent_id``, the inbound agent before. For ``replaceOutbound`` the latter is None, because the vendor
    does not show it.

    From the vendor's pages on linking a phone number to an agent and on affected agents.

    :param phone_number_id: The number: its id, a uuid, or its phone number in any notation, which costs one more
        request. A phone number is looked up as written and, only if none is written so, by its E.164 form. (templated)
    :param agent_id: The agent. (templated)
    :param mode: ``inbound`` (default): the agent answers the number's calls. ``replaceOutbound``: the agent calls out
        with this number instead of the one it had. (templated)
    :param if_linked: For ``inbound``, if another agent has the number: ``replace`` (default) takes it from that agent,
        ``fail`` fails. (templated)
    :param credentials_id: The SIP credentials, a uuid, of a number that is named by phone number, if several have that
        one. None (default): any. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (
        "phone_number_id",
        "agent_id",
        "mode",
        "if_linked",
        "credentials_id",
        "dasha_conn_id",
    )
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        phone_number_id: str,
        agent_id: str,
        mode: LinkMode = "inbound",
        if_linked: IfLinked = "replace",
        credentials_id: str | None = None,
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number_id = phone_number_id
        self.agent_id = agent_id
        self.mode = mode
        self.if_linked = if_linked
        self.credentials_id = credentials_id
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Link the number."""
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.promises.dasha.link import link_number

        promise = partial(link_number, agent_id=self.agent_id, mode=self.mode, if_linked=self.if_linked)
        with open_journal(self, context) as journal, self.hook as hook:
            _find(self, promise)
            outcome = hook.run(promise(self.phone_number_id, journal=journal))
            journal.catch_up(hook)
        outcome.log_to(self.log)
        emit_journal(self, context, journal, vendor="dasha")
        return delivered(self, context, outcome.result())


class DashaUnlinkPhoneNumberOperator(DashaOperator):
    """
    Unlink a phone number from an agent at Dasha BlackBox.

    Afterwards this agent no longer has the number in this mode. If nobody or another agent has it, nothing is written;
    otherwise the task reads the number again before it succeeds.

    A retry, a cleared task or a second run that finds the link gone writes nothing. The vendor has no conditional
    write: a link that somebody else makes in the moment between the last look and the write is removed.

    Returns a dict: the number with its fields in snake case, ``changed`` (bool), whether a try of this task wrote, and
    ``previous_agent_id``, the agent that had the number before.

    From the vendor's pages on unlinking a phone number from an agent and on affected agents.

    :param phone_number_id: The number: its id, a uuid, or its phone number in any notation, which costs one more
        request. A phone number is looked up as written and, only if none is written so, by its E.164 form. (templated)
    :param mode: ``inbound`` (default) or ``replaceOutbound``. (templated)
    :param agent_id: The agent that loses the number; required for ``replaceOutbound``. Without it, an inbound unlink
        takes the number from whichever agent has it. (templated)
    :param credentials_id: The SIP credentials, a uuid, of a number that is named by phone number, if several have that
        one. None (default): any. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (
        "phone_number_id",
        "mode",
        "agent_id",
        "credentials_id",
        "dasha_conn_id",
    )
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        phone_number_id: str,
        mode: LinkMode = "inbound",
        agent_id: str | None = None,
        credentials_id: str | None = None,
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number_id = phone_number_id
        self.mode = mode
        self.agent_id = agent_id
        self.credentials_id = credentials_id
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Unlink the number."""
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.promises.dasha.unlink import unlink_number

        promise = partial(unlink_number, mode=self.mode, agent_id=self.agent_id)
        with open_journal(self, context) as journal, self.hook as hook:
            _find(self, promise)
            outcome = hook.run(promise(self.phone_number_id, journal=journal))
            journal.catch_up(hook)
        outcome.log_to(self.log)
        emit_journal(self, context, journal, vendor="dasha")
        return delivered(self, context, outcome.result())


def _find(
    operator: DashaLinkPhoneNumberOperator | DashaUnlinkPhoneNumberOperator,
    promise: Callable[[str], Flow[Any]],
) -> None:
    """Find the number that the task names, once all other arguments are checked."""
    from airflow_provider_phonelink.promises.dasha.naming import find_for

    # Its id from here on, also for the link to the console.
    operator.phone_number_id = operator.hook.run(
        find_for(promise, operator.phone_number_id, credentials_id=operator.credentials_id)
    )
