"""The rotation operator for Dasha BlackBox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.exceptions import as_airflow_exceptions
from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.results import delivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import Context
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_phonelink.decisions.rotation import Turn
    from airflow_provider_phonelink.promises.dasha.rotate import Survey
    from airflow_provider_phonelink.promises.journal import Entry

#: Of how many runs it is known which number they chose, should one be cleared.
RUNS_REMEMBERED = 50


class DashaRotatePhoneNumberOperator(DashaOperator):
    """
    Give an agent the next healthy number of a pool as its outbound number at Dasha BlackBox.

    The task looks at the pool, chooses a number, links it and reads the link again. The agent is never left without a
    number, because replacing one is a single write. If too few numbers are healthy, nothing changes.

    A run keeps its choice for its retries, and when it is cleared, as long as that number is healthy. The choice is
    stored before the write, in an Airflow Variable that no clear reaches. Consecutive runs move on
    through the pool; the number in use is picked again only if no other one is healthy. Give the DAG
    ``max_active_runs=1``, because two runs at once would interfere with each other.

    Returns a dict: ``current``, the number with its fields in snake case; ``previous``, the id of the number before,
    None if that is neither in the pool nor in the scope; ``changed`` (bool), whether this try wrote; ``skipped``, a
    dict of id to reason; and ``pool_size``.

    From the vendor's pages on linking a phone number to an agent and on affected agents.

    :param agent_id: The agent. (templated)
    :param pool: The ids of the numbers, or a filter: a dict of ``provider_id``, ``display_name_prefix`` and
        ``description_tag`` (a text within the description); a number has to match all that are given. A plain text is
        Airflow's own ``pool``, which is one of worker slots.
    :param number_pool: The same as ``pool``, under a name that Airflow does not use itself. Text, as from a template,
        may be a list or dict in the notation of Python or JSON, or ids separated by commas. (templated)
    :param strategy: ``round_robin`` (default) starts at the run's position in its schedule and takes the next healthy
        number. ``weighted`` does the same, with each number coming as often as its weight, but at most every other
        time. Anything else is the import path of a callable, see
        :data:`airflow_provider_phonelink.decisions.rotation.Chooser`; it is taken only as the DAG file has it, not
        from a template or from mapped values, because the worker runs what it names. Runs without a position in a
        schedule, such as those that an asset triggers, take the number after the one in use. (templated)
    :param weights: For ``weighted``: a dict of id to weight, a whole number from 1 to 1000; 1 for numbers not listed.
        (templated)
    :param min_healthy: The fewest healthy numbers, at least 1 (default). With fewer, nothing changes and the task
        fails. (templated)
    :param quarantine: Ids of numbers that must not be picked. (templated)
    :param scope: Further ids of numbers that the agent may be using at present. (templated)
    :param healthy_without_registration: Whether numbers whose registration is switched off may be picked; False by
        default.
    :param verify: Whether to read the link afterwards, and to put the old number back if the link does not show; True
        by default.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = (
        "agent_id",
        "number_pool",
        "strategy",
        "weights",
        "min_healthy",
        "quarantine",
        "scope",
        "dasha_conn_id",
    )
    template_fields_renderers = {  # noqa: RUF012 - as Airflow declares it
        "number_pool": "json",
        "weights": "json",
        "quarantine": "json",
        "scope": "json",
    }
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    def __init__(
        self,
        *,
        agent_id: str,
        pool: Sequence[str] | Mapping[str, str] | None = None,
        number_pool: Sequence[str] | Mapping[str, str] | None = None,
        strategy: str = "round_robin",
        weights: Mapping[str, int] | None = None,
        min_healthy: int | str = 1,
        quarantine: Sequence[str] = (),
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
        self.agent_id = agent_id
        self.number_pool = number_pool if pool is None else pool
        self.strategy = self._constructed_strategy = strategy
        self.weights = weights
        self.min_healthy = min_healthy
        self.quarantine = quarantine
        self.scope = scope
        self.healthy_without_registration = healthy_without_registration
        self.verify = verify
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Accept a ``pool`` of numbers in mapped tasks, too; Airflow would take it for a pool of worker slots."""
        if not isinstance(kwargs.get("pool", ""), str):
            kwargs["number_pool"] = kwargs.pop("pool")
        partial: OperatorPartial = super().partial(**kwargs)
        return partial

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at the pool, choose, remember the choice, make the link."""
        from airflow_provider_phonelink.decisions.rotation import next_number
        from airflow_provider_phonelink.metrics import count_rotation
        from airflow_provider_phonelink.operators.dasha.strategy import strategy_of
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.promises.dasha.rotate import rotate_to
        from airflow_provider_phonelink.promises.journal import outbound_key

        with as_airflow_exceptions():
            how = strategy_of(self, self.strategy, self._constructed_strategy), self._checked_weights()
        with self.hook as hook:
            found = self._survey()
            # A run keeps its number when it is cleared, too, also after it succeeded.
            journal = open_journal(
                self, context, self.dasha_conn_id, str(self.agent_id), runs=RUNS_REMEMBERED
            )
            earlier = journal.of(outbound_key(self.agent_id))
            before = _before(found, earlier)
            with as_airflow_exceptions():
                turn = _turn(found, before, earlier.number_id if earlier else None, context)
                chosen = next_number(found.pool, turn, *how)
            outcome = hook.run(
                rotate_to(self.agent_id, chosen, found, verify=self.verify, before=before, journal=journal)
            )
        for reason in outcome.pool.skipped.values():
            self.log.info("Skipped %s", reason)
        outcome.log_to(self.log)
        self.phone_number_id = outcome.current.id  # for the link to the console
        emit_journal(self, context, journal, vendor="dasha")
        if outcome.changed:
            count_rotation("dasha")
        return delivered(self, context, outcome.result())

    def _survey(self) -> Survey:
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.errors import InvalidArgumentError
        from airflow_provider_phonelink.decisions.registration import rules_of
        from airflow_provider_phonelink.decisions.rotation import demand_healthy
        from airflow_provider_phonelink.promises.dasha.rotate import survey

        with as_airflow_exceptions():
            if self.number_pool is None:
                raise InvalidArgumentError(
                    "pool",
                    "names no numbers: give ids or a filter. A text there is Airflow's pool of worker slots; "
                    "use `number_pool` for ids in a text.",
                )
            least = arguments.integer("min_healthy", self.min_healthy, lowest=1, highest=1_000_000)
        found = self.hook.run(
            survey(
                self.agent_id,
                self.number_pool,
                rules_of(self.hook.settings, None, None),
                scope=self.scope,
                quarantine=self.quarantine,
                healthy_without_registration=self.healthy_without_registration,
            )
        )
        with as_airflow_exceptions():
            in_use = found.name(found.previous) if found.previous else "not one of the pool"
            demand_healthy(found.pool, least, in_use)
        return found

    def _checked_weights(self) -> dict[str, int]:
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.errors import InvalidArgumentError
        from airflow_provider_phonelink.api.templates import parse_rendered

        weights = parse_rendered("weights", self.weights) or {}
        if not hasattr(weights, "items"):
            raise InvalidArgumentError("weights", "is not a dict of ids and whole numbers.")
        return {
            arguments.uuid("weights", number_id): arguments.integer("weights", weight, lowest=1, highest=1000)
            for number_id, weight in weights.items()
        }


def _turn(found: Survey, before: str | None, kept: str | None, context: Context) -> Turn:
    from airflow_provider_phonelink.decisions.rotation import Turn

    ti = context.get("ti")  # not there where an operator is executed by hand
    return Turn(ordinal_of(context), before or found.suspected, kept, str(ti.run_id) if ti else "")


def _before(found: Survey, earlier: Entry | None) -> str | None:
    """Return the number that this run replaces: not the one that an earlier try of it has put there already."""
    if earlier and found.previous in (None, earlier.number_id):
        return earlier.previous_number_id or found.previous
    return found.previous


def ordinal_of(context: Context) -> int | None:
    """
    Return a run's ordinal, its position in its schedule; None without a logical date or a regular schedule.

    Counts by the logical date alone: the data interval of a cron run may have no length.
    """
    from airflow_provider_phonelink.decisions.ordinals import cron_ordinal, delta_ordinal

    logical_date: datetime | None = context.get("logical_date")
    if logical_date is None:
        return None
    timetable: Any = context["dag"].timetable
    if expression := _attribute(timetable, "expression"):
        return cron_ordinal(expression, _zone(_attribute(timetable, "timezone")), logical_date)
    delta = _attribute(timetable, "delta")
    # A relativedelta may be in months, which differ in length.
    return delta_ordinal(delta, logical_date) if isinstance(delta, timedelta) else None


def _attribute(timetable: Any, name: str) -> Any:
    """Read an attribute that Airflow 3.0 and 3.1 keep under a private name."""
    return getattr(timetable, name, None) or getattr(timetable, f"_{name}", None)


def _zone(zone: Any) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(zone) if isinstance(zone, str) else zone
