"""Attach and detach numbers (CallingBox)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.results import delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.promises.callingbox.attach import IfAttached
    from airflow_provider_phonelink.promises.outcomes import Changed


class _AgentAndNumberOperator(CallingBoxOperator):
    """What is about one agent and one number, and takes nothing else."""

    template_fields: Sequence[str] = ("agent_id", "number_id", "callingbox_conn_id")
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        agent_id: str,
        number_id: str,
        callingbox_conn_id: str = "callingbox_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.agent_id = agent_id
        self.number_id = number_id
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)


class CallingBoxAttachNumberOperator(CallingBoxOperator):
    """
    Attach a number to an agent at CallingBox.

    Afterwards the agent has the number. The task looks first, writes only if the agent does not have it, and reads the
    agent again before it succeeds.

    A retry, a cleared task or a second run that finds the number attached writes nothing. If the answer to a write was
    lost, the task looks again before it repeats the write. It fails without a retry if another inbound agent has the
    number and may not lose it.

    With ``if_attached="move"`` the number is detached from the agent that has it and then attached to the new one. In
    between, its calls are rejected: the log says for how many seconds. If it cannot be attached, the old agent gets it
    back, and the error says which agent has it now. If a try dies in between, the next one completes the move. Agents
    keep their primary numbers: only if the primary number itself is taken away, the first of the remaining numbers
    becomes primary, unless CallingBox chose one.

    Returns a dict: the agent as CallingBox describes it, ``changed`` (bool), whether a try of this task wrote, and
    ``previous_agent_id``, the number's inbound agent before.

    From the vendor's pages on attaching and detaching numbers and on primary numbers.

    :param agent_id: The agent. (templated)
    :param number_id: A number that the organisation owns: its id, or its phone number in any notation, for which all
        numbers are read. A phone number is looked up as written and, only if none is written so, by its E.164 form.
        (templated)
    :param if_attached: For an inbound agent, if another inbound agent has the number: ``fail`` (default) fails,
        ``move`` takes it from that agent. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = ("agent_id", "number_id", "if_attached", "callingbox_conn_id")
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        agent_id: str,
        number_id: str,
        if_attached: IfAttached = "fail",
        callingbox_conn_id: str = "callingbox_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.agent_id = agent_id
        self.number_id = number_id
        self.if_attached = if_attached
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Attach the number."""
        from airflow_provider_phonelink.promises.callingbox.attach import attach_number

        return _keep_promise(self, context, attach_number, if_attached=self.if_attached)


class CallingBoxDetachNumberOperator(_AgentAndNumberOperator):
    """
    Detach a number from an agent at CallingBox.

    Afterwards the agent no longer has the number. The number stays bought and billed: nothing in this package releases
    a number.

    A retry, a cleared task or a second run that finds the number detached writes nothing. A number that the
    organisation does not have is an error, without a retry: its id is mistyped, most likely. If the agent loses its
    primary number, the first of its remaining numbers becomes primary, unless CallingBox chose one.

    Returns a dict: the agent as CallingBox describes it, ``changed`` (bool), whether a try of this task wrote, and
    ``previous_agent_id``, the agent that had the number before.

    From the vendor's page on detaching a number from an agent.

    :param agent_id: The agent that loses the number. (templated)
    :param number_id: The number: its id, or its phone number in any notation, as for
        :class:`CallingBoxAttachNumberOperator`. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Detach the number."""
        from airflow_provider_phonelink.promises.callingbox.attach import detach_number

        return _keep_promise(self, context, detach_number)


class CallingBoxSetPrimaryNumberOperator(_AgentAndNumberOperator):
    """
    Make a number an agent's primary one at CallingBox: the one that it calls out with unless a call names another.

    Afterwards this number is the agent's primary one; it must be attached to the agent. The task looks first, writes
    only if another number is primary, and reads the agent again before it succeeds.

    A retry, a cleared task or a second run that finds it primary writes nothing. It fails without a retry if the number
    is not attached, if the agent is archived, or if somebody else made a third number primary after an earlier try,
    which is left. The number that was primary before stays attached. For an agent that makes calls, the change is told
    as an asset event.

    Returns a dict: the agent as CallingBox describes it, ``changed`` (bool), whether a try of this task wrote, and
    ``previous_number_id``, the primary number before, if one did and the vendor shows it.

    From the vendor's page on primary numbers.

    :param agent_id: The agent. (templated)
    :param number_id: A number that is attached to it, by id or phone number. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Make the number primary."""
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.promises.callingbox.naming import find_for
        from airflow_provider_phonelink.promises.callingbox.primary import make_primary

        with open_journal(self, context) as journal, self.hook as hook:
            # Its id from here on, also for the link to the console.
            self.number_id = hook.run(find_for(partial(make_primary, self.agent_id), self.number_id))
            outcome = hook.run(make_primary(self.agent_id, self.number_id, journal=journal))
            journal.catch_up(hook)
        outcome.log_to(self.log)
        emit_journal(self, context, journal, vendor="callingbox")
        return delivered(self, context, outcome.result())


def _keep_promise(
    operator: CallingBoxAttachNumberOperator | CallingBoxDetachNumberOperator,
    context: Context,
    promise: Callable[..., Flow[Changed[Agent]]],
    **options: Any,
) -> dict[str, Any]:
    """Find the number, and keep the promise about it."""
    from airflow_provider_phonelink.operators.events import emit_journal
    from airflow_provider_phonelink.operators.journal import open_journal
    from airflow_provider_phonelink.promises.callingbox.naming import find_for

    agent_id = operator.agent_id
    with open_journal(operator, context) as journal, operator.hook as hook:
        # Its id from here on, also for the link to the console.
        operator.number_id = hook.run(find_for(partial(promise, agent_id, **options), operator.number_id))
        outcome = hook.run(promise(agent_id, operator.number_id, journal=journal, **options))
        journal.catch_up(hook)
    outcome.log_to(operator.log)
    emit_journal(operator, context, journal, vendor="callingbox")
    return delivered(operator, context, outcome.result())
