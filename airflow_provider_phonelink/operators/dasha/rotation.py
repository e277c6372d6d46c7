"""The rotation operator for Dasha BlackBox."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.exceptions import as_airflow_exceptions
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.results import delivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import Context
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_phonelink.decisions.rotation import Chooser, Turn
    from airflow_provider_phonelink.operators.events import LinkChange
    from airflow_provider_phonelink.promises.dasha.rotate import Rotated, Survey


class DashaRotatePhoneNumberOperator(DashaOperator):
    """
    Give an agent the next healthy number of a pool as its outbound number.

    The agent is never left without a number: replacing one is a single write. A run keeps its choice for its
    retries and clears while that number is healthy (in Airflow's task state store from 3.3 on, in a Variable
    before), consecutive runs move on through the pool, and the number in use is picked again only if no other
    one is healthy. Let a DAG have ``max_active_runs=1``, for two runs at once would rotate past each other.

    Returns ``current`` (the number in snake case), ``previous`` (its id, None if it is not one of the pool or the
    scope), ``changed``, ``skipped`` (id to reason) and ``pool_size``.

    :param agent_id: The agent. (templated)
    :param pool: Ids of the numbers, or a filter: a dict of ``provider_id``, ``display_name_prefix`` and
        ``description_tag`` (a text within the description), of which all named ones must match. A plain text is
        Airflow's own ``pool``, the one of worker slots.
    :param number_pool: The same as ``pool`` under a name that Airflow does not use itself. Here a text, such as a
        template, may be a list or dict as Python or JSON write it, or ids with commas between them. (templated)
    :param strategy: ``round_robin`` starts at the run's place in its schedule and takes the next healthy number;
        ``weighted`` does so with each number coming as often as its weight, though at most every other time;
        anything else is the import path of a callable: see
        :data:`airflow_provider_phonelink.decisions.rotation.Chooser`. Runs without a place in a schedule, such as
        those that an asset triggers, take the number after the one in use. (templated)
    :param weights: For ``weighted``: id to a whole number from 1; 1 for those not named. (templated)
    :param min_healthy: With fewer healthy numbers nothing changes and the task fails; at least 1. (templated)
    :param quarantine: Ids that are not to be picked. (templated)
    :param scope: Further ids among which the agent's present number may be. (templated)
    :param healthy_without_registration: Whether numbers whose registration is switched off may be picked.
    :param verify: Whether the link is read afterwards; if it cannot be confirmed, the number before is put back.
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
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
        self.strategy = strategy
        self.weights = weights
        self.min_healthy = min_healthy
        self.quarantine = quarantine
        self.scope = scope
        self.healthy_without_registration = healthy_without_registration
        self.verify = verify
        self.dasha_conn_id = dasha_conn_id

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Take a ``pool`` of numbers for mapped tasks, too: Airflow would take it for the pool of worker slots."""
        if not isinstance(kwargs.get("pool", ""), str):
            kwargs["number_pool"] = kwargs.pop("pool")
        partial: OperatorPartial = super().partial(**kwargs)
        return partial

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at the pool, choose, remember the choice, make the link."""
        from airflow_provider_phonelink.decisions.rotation import next_number
        from airflow_provider_phonelink.operators.events import emit_if_changed
        from airflow_provider_phonelink.operators.task_memory import TaskMemory
        from airflow_provider_phonelink.promises.dasha.rotate import rotate_to

        with as_airflow_exceptions():
            how = self._strategy(), self._checked_weights()
        with self.hook as hook:
            found = self._survey()
            memory = TaskMemory(context, "choice")
            earlier = memory.read() or {}
            before = _before(found, earlier)
            with as_airflow_exceptions():
                turn = _turn(found, before, earlier.get("number"), context)
                chosen = next_number(found.pool, turn, *how)
            # Before the link: a try that dies after it must choose the same number.
            memory.write({"number": chosen, "before": before})
            outcome = hook.run(rotate_to(self.agent_id, chosen, found, verify=self.verify, before=before))
        for reason in outcome.pool.skipped.values():
            self.log.info("Skipped %s", reason)
        outcome.log_to(self.log)
        self.phone_number_id = outcome.current.id  # for the link to the console
        emit_if_changed(self, context, self._change(outcome))
        return delivered(self, context, outcome.result())

    def _change(self, outcome: Rotated) -> LinkChange:
        from airflow_provider_phonelink.operators.events import LinkChange

        current = outcome.current
        return LinkChange(
            vendor="dasha",
            number_id=current.id,
            phone_number=current.phone_number,
            mode="replaceOutbound",
            agent_id=self.agent_id,
            previous_number_id=outcome.previous if outcome.previous != current.id.lower() else None,
            changed=outcome.changed,
        )

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

    def _strategy(self) -> str | Chooser:
        from airflow_provider_phonelink.api.errors import InvalidArgumentError
        from airflow_provider_phonelink.decisions.rotation import STRATEGIES

        if self.strategy in STRATEGIES:
            return self.strategy
        module, _, name = str(self.strategy).rpartition(".")
        try:
            chooser: Chooser = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise InvalidArgumentError(
                "strategy",
                f"{self.strategy!r} is neither {' nor '.join(STRATEGIES)} nor importable ({error}).",
            ) from None
        if not callable(chooser):
            raise InvalidArgumentError("strategy", f"{self.strategy!r} cannot be called.")
        return chooser

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


def _before(found: Survey, earlier: Mapping[str, Any]) -> str | None:
    """Return the number that this run replaces: not the one that an earlier try of it has put there already."""
    if earlier and found.previous in (None, earlier["number"]):
        return earlier["before"] or found.previous
    return found.previous


def ordinal_of(context: Context) -> int | None:
    """
    Return the how-manieth run of its schedule a run is; None without a logical date or a regular schedule.

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
    # A relativedelta may be of months, which have no one length.
    return delta_ordinal(delta, logical_date) if isinstance(delta, timedelta) else None


def _attribute(timetable: Any, name: str) -> Any:
    """Read what Airflow 3.0 and 3.1 keep under a private name."""
    return getattr(timetable, name, None) or getattr(timetable, f"_{name}", None)


def _zone(zone: Any) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(zone) if isinstance(zone, str) else zone
