"""The rotation operator for CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.rotating import FIELDS, RotateOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_phonelink.operators.rotating import OnUnhealthy
    from airflow_provider_phonelink.promises.callingbox.rotate import CallingBoxCallerId


class CallingBoxRotatePrimaryNumberOperator(RotateOperator, CallingBoxOperator):
    """
    Make another active number of a pool an outbound agent's primary number, its caller ID, at CallingBox.

    The task looks at the agent and its numbers, chooses one, makes it the primary number and reads the agent again.
    The agent is never left without a primary number, because replacing it is a single write. Numbers stay attached. If
    too few numbers are healthy, which means that their ``status`` is ``active``, nothing changes.

    What is remembered, what a retry, a clear and an older run do, and what the arguments mean is as with
    :class:`~airflow_provider_phonelink.operators.dasha.DashaRotatePhoneNumberOperator`.

    Returns a dict with the same entries; ``current`` is the number as CallingBox describes it.

    From the vendor's pages on agents, on attaching numbers and on primary numbers.

    :param agent_id: The agent, an outbound one that is not archived. (templated)
    :param pool: The numbers, by id or by phone number in any notation: those of them that are attached to the agent.
        None (default): all that are attached, in the order of their ids. A plain text is Airflow's own ``pool``, which
        is one of worker slots.
    :param number_pool: The same as ``pool``, under a name that Airflow does not use itself. Text, as from a template,
        may be a list in the notation of Python or JSON, or names separated by commas. (templated)
    :param strategy: ``least_recently_used`` (default, also called ``round_robin``), ``weighted``, ``priority``, or the
        import path of a callable, see :data:`airflow_provider_phonelink.decisions.rotation.Chooser`. (templated)
    :param weights: For ``weighted``: a dict of number, by id or phone number, to weight, a whole number from 1 to 1000;
        1 for numbers not listed. (templated)
    :param min_healthy: The fewest healthy numbers, at least 1 (default), without those that rest. (templated)
    :param on_unhealthy: What happens with fewer: ``fail`` (default), ``skip``, or ``keep`` the number in use.
        (templated)
    :param quarantine: Numbers that must not be picked, by id or phone number, or a dict of number to the reason for
        it. (templated)
    :param cool_down: For how long a number rests after it went out of use: a timedelta or seconds; None (default): not
        at all. More than 100 years count as 100 years, here and below. (templated)
    :param max_in_use: For how long a healthy number stays in use: a timedelta or seconds; None (default): each run
        rotates. (templated)
    :param verify: Whether to read the agent afterwards, and to put the old number back if that fails; True by default.
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (*FIELDS, "callingbox_conn_id")
    mode = "outbound"
    uuids = False

    def __init__(
        self,
        *,
        agent_id: str,
        pool: Sequence[str] | None = None,
        number_pool: Sequence[str] | None = None,
        strategy: str = "least_recently_used",
        weights: Mapping[str, int] | None = None,
        min_healthy: int | str = 1,
        on_unhealthy: OnUnhealthy = "fail",
        quarantine: Sequence[str] | Mapping[str, str] = (),
        cool_down: timedelta | float | str | None = None,
        max_in_use: timedelta | float | str | None = None,
        verify: bool = True,
        callingbox_conn_id: str = "callingbox_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        if isinstance(pool, str):
            kwargs["pool"], pool = pool, None
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self._accept(agent_id, number_pool if pool is None else pool, verify)
        self._accept_rules(strategy, weights, min_healthy, on_unhealthy, quarantine, cool_down, max_in_use)
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)

    def _caller_id(self) -> CallingBoxCallerId:
        from airflow_provider_phonelink.promises.callingbox.rotate import CallingBoxCallerId

        return CallingBoxCallerId(self.agent_id, self.number_pool, self.quarantine)
