"""The rotation operator for Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.rotating import FIELDS, RotateOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_phonelink.operators.rotating import OnUnhealthy
    from airflow_provider_phonelink.promises.dasha.rotate import DashaCallerId


class DashaRotatePhoneNumberOperator(RotateOperator, DashaOperator):
    """
    Give an agent another healthy number of a pool as its outbound number at Dasha BlackBox.

    The task looks at the pool, chooses a number, links it and reads the link again. The agent is never left without a
    number, because replacing one is a single write. If too few numbers are healthy, nothing changes.

    Which number the agent used from when to when, and by which run, is remembered for each connection and agent in an
    Airflow Variable, ``phonelink_rotation__<connection>__<agent>``, that no clear reaches and that people may correct.
    The choice is in it before the link is written. So a run keeps its number for its retries, and when it is cleared,
    as long as that number is healthy and no later run has rotated; a run that is older than that writes nothing, except
    with ``strategy="priority"``. If the memory is lost, the number after the one in use comes next. Give the DAG
    ``max_active_runs=1``, because two runs at once would interfere with each other.

    Returns a dict: ``agent_id``; ``current``, the number with its fields in snake case; ``previous``, the id of the
    number before, None if it was not seen, as outside of both pool and scope where reads by credentials are refused;
    ``changed`` (bool), whether this run changed the number; ``reason``, why this number was chosen; ``skipped``, a dict
    of id to reason; ``pool_size``; and ``last_uses``, a dict of each id in the pool to ``since``, ``until`` and
    ``run_id`` of its last use, or None.

    From the vendor's pages on linking a phone number to an agent and on affected agents.

    :param agent_id: The agent. (templated)
    :param pool: The numbers, by id or by phone number in any notation; or a filter, a dict of ``provider_id``,
        ``display_name_prefix`` and ``description_tag`` (a text within the description), all of which a number has to
        match. A plain text is Airflow's own ``pool``, which is one of worker slots.
    :param number_pool: The same as ``pool``, under a name that Airflow does not use itself. Text, as from a template,
        may be a list or dict in the notation of Python or JSON, or names separated by commas. (templated)
    :param strategy: ``least_recently_used`` (default, also called ``round_robin``) takes the healthy number that the
        agent has not used for longest, and first those that it has never used, in the pool's order. ``weighted`` uses
        each number in proportion to its weight, but at most every other time. ``priority`` takes the first healthy
        number in the pool's order, so that it replaces a number that fails and puts it back when it is well again.
        Anything else is the import path of a callable, see
        :data:`airflow_provider_phonelink.decisions.rotation.Chooser`. (templated)
    :param weights: For ``weighted``: a dict of number, by id or phone number, to weight, a whole number from 1 to 1000;
        1 for numbers not listed. (templated)
    :param min_healthy: The fewest healthy numbers, at least 1 (default), without those that rest. (templated)
    :param on_unhealthy: What happens with fewer: ``fail`` (default) changes nothing and fails, and a retry may help;
        ``skip`` changes nothing and skips the task, or succeeds if an earlier try of the run changed the number, so
        that this is told; ``keep`` keeps the number in use, be it in the pool or not, and
        succeeds; if it is in the pool and not healthy itself, a healthy one replaces it in spite of ``min_healthy`` and
        ``cool_down``, if there is one. (templated)
    :param quarantine: Numbers that must not be picked, by id or phone number, or a dict of number to the reason for
        it, of which logs and result repeat the first 500 characters. Numbers outside of the pool are ignored.
        (templated)
    :param cool_down: For how long a number rests after it went out of use: a timedelta or seconds, by the times at
        which the runs were due. None (default): not at all. More than 100 years count as 100 years, here and below.
        (templated)
    :param max_in_use: For how long a healthy number stays in use: a run within that time keeps it, so that a DAG that
        runs each hour can rotate once a day. A timedelta or seconds; None (default): each run rotates. (templated)
    :param scope: Further numbers that the agent may be using at present, by id or phone number. Needed only where the
        vendor refuses reads by credentials to this key. (templated)
    :param healthy_without_registration: Whether numbers whose registration is switched off may be picked; False by
        default. Not templated; a text such as ``"false"``, as from a mapped table, counts as what it says.
    :param verify: Whether to read the link afterwards, and to put the old number back if the link does not show; True
        by default.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (*FIELDS, "scope", "dasha_conn_id")
    template_fields_renderers = {**RotateOperator.template_fields_renderers, "scope": "json"}  # noqa: RUF012
    mode = "replaceOutbound"
    uuids = True

    def __init__(
        self,
        *,
        agent_id: str,
        pool: Sequence[str] | Mapping[str, str] | None = None,
        number_pool: Sequence[str] | Mapping[str, str] | None = None,
        strategy: str = "least_recently_used",
        weights: Mapping[str, int] | None = None,
        min_healthy: int | str = 1,
        on_unhealthy: OnUnhealthy = "fail",
        quarantine: Sequence[str] | Mapping[str, str] = (),
        cool_down: timedelta | float | str | None = None,
        max_in_use: timedelta | float | str | None = None,
        scope: Sequence[str] = (),
        healthy_without_registration: bool = False,
        verify: bool = True,
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        if isinstance(pool, str):
            kwargs["pool"], pool = pool, None
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self._accept(agent_id, number_pool if pool is None else pool, verify)
        self._accept_rules(strategy, weights, min_healthy, on_unhealthy, quarantine, cool_down, max_in_use)
        self.scope = scope
        self.healthy_without_registration = healthy_without_registration
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)

    def _caller_id(self) -> DashaCallerId:
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.errors import InvalidArgumentError
        from airflow_provider_phonelink.decisions.registration import rules_of
        from airflow_provider_phonelink.promises.dasha.rotate import DashaCallerId

        if self.number_pool is None:
            raise InvalidArgumentError(
                "pool",
                "names no numbers: give ids, phone numbers or a filter. A text there is Airflow's pool of worker "
                "slots; use `number_pool` for numbers in a text.",
            )
        return DashaCallerId(
            self.agent_id,
            self.number_pool,
            rules_of(self.hook.settings, None, None),
            scope=self.scope,
            quarantine=self.quarantine,
            healthy_without_registration=arguments.boolean(
                "healthy_without_registration", self.healthy_without_registration
            ),
        )
