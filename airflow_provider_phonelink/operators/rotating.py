"""What the rotation operators of all vendors have in common."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow.sdk import BaseOperator

from airflow_provider_phonelink.exceptions import as_airflow_exceptions
from airflow_provider_phonelink.operators.console import AgentInConsoleLink, NumberInConsoleLink
from airflow_provider_phonelink.operators.results import delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_phonelink.decisions.rotation import Asked, RotationRules
    from airflow_provider_phonelink.decisions.rotation_memory import Run
    from airflow_provider_phonelink.operators.rotation_memory import KeptMemory
    from airflow_provider_phonelink.promises.rotation import CallerId, Rotated

OnUnhealthy: TypeAlias = Literal["fail", "keep", "skip"]
#: Templated fields. ``pool`` is kept as ``number_pool``, for Airflow's operators have a pool of worker slots.
FIELDS = (
    "agent_id",
    "number_pool",
    "strategy",
    "weights",
    "min_healthy",
    "on_unhealthy",
    "quarantine",
    "cool_down",
    "max_in_use",
)


class RotateOperator(BaseOperator):
    """
    Look at a pool, choose, remember the choice, set the caller ID.

    It has no constructor: Airflow wraps each one of a class hierarchy, and that is what parsing a file costs.
    """

    template_fields_renderers = {  # noqa: RUF012 - as Airflow declares it
        "number_pool": "json",
        "weights": "json",
        "quarantine": "json",
    }
    operator_extra_links = (NumberInConsoleLink(), AgentInConsoleLink())

    agent_id: str
    number_pool: Any
    strategy: str
    weights: Mapping[str, int] | str | None
    min_healthy: int | str
    on_unhealthy: OnUnhealthy
    quarantine: Sequence[str] | Mapping[str, str]
    cool_down: timedelta | float | str | None
    max_in_use: timedelta | float | str | None
    verify: bool
    #: The vendor's.
    hook: Any
    #: The id of the number that the agent has at the end.
    phone_number_id: str
    #: Whether the vendor's ids of numbers are uuids.
    uuids: bool
    #: The mode of the links that it makes, in the vendor's words.
    mode: str

    def _accept(self, agent_id: str, pool: Any, verify: bool) -> None:
        """Take the arguments that all vendors' operators have; to be called by the constructor."""
        self.agent_id = agent_id
        self.number_pool = pool
        self.verify = verify

    def _accept_rules(
        self,
        strategy: str,
        weights: Mapping[str, int] | None,
        min_healthy: int | str,
        on_unhealthy: OnUnhealthy,
        quarantine: Sequence[str] | Mapping[str, str],
        cool_down: timedelta | float | str | None,
        max_in_use: timedelta | float | str | None,
    ) -> None:
        """Take how to choose; to be called by the constructor, too."""
        self.strategy = self._constructed_strategy = strategy
        self.weights = weights
        self.min_healthy = min_healthy
        self.on_unhealthy = on_unhealthy
        self.quarantine = quarantine
        self.cool_down = cool_down
        self.max_in_use = max_in_use

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Accept a ``pool`` of numbers in mapped tasks, too; Airflow would take it for a pool of worker slots."""
        if not isinstance(kwargs.get("pool", ""), str):
            kwargs["number_pool"] = kwargs.pop("pool")
        partial: OperatorPartial = super().partial(**kwargs)
        return partial

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at the pool, choose, remember the choice, set the caller ID."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.errors import PoolUnhealthyError
        from airflow_provider_phonelink.compat import AirflowSkipException
        from airflow_provider_phonelink.exceptions import PhonelinkRetryableException
        from airflow_provider_phonelink.operators.rotation_memory import KeptMemory

        with as_airflow_exceptions():
            arguments.present(self.hook.conn_name_attr, self.hook.conn_id)
            # What is remembered is found by it, too.
            self.agent_id = arguments.agent_id("agent_id", self.agent_id)
            rules, caller_id = self._rules(), self._caller_id()
            verify = arguments.boolean("verify", self.verify)
        asked = self._asked(context)
        kept = KeptMemory(self, context, self.hook.conn_id, self.agent_id)
        with self.hook as hook:
            try:
                outcome = self._rotate(hook, caller_id, asked, rules, kept, verify=verify)
            except PhonelinkRetryableException as error:
                if self.on_unhealthy == "skip" and isinstance(error.__cause__, PoolUnhealthyError):
                    raise AirflowSkipException(str(error)) from None
                raise
        for reason in outcome.skipped.values():
            self.log.info("Skipped %s", reason)
        outcome.log_to(self.log)
        if outcome.current_id:
            self.phone_number_id = outcome.current_id  # for the link to the console
        self._tell(context, outcome, lambda: kept.keep(outcome.memory.done_by(asked.run)))
        return delivered(self, context, outcome.result())

    def _rotate(
        self,
        hook: Any,
        caller_id: CallerId,
        asked: Asked,
        rules: RotationRules,
        kept: KeptMemory,
        *,
        verify: bool,
    ) -> Rotated:
        from airflow_provider_phonelink.promises.rotation import rotate

        found: Rotated = hook.run(
            rotate(
                caller_id,
                asked,
                rules,
                verify=verify,
                memory=kept.read(asked.at),
                keep=kept.keep,
            )
        )
        return found

    def _caller_id(self) -> CallerId:
        """Return the agent's caller ID at the vendor; to be written by the vendor's operator."""
        raise NotImplementedError

    def _asked(self, context: Context) -> Asked:
        from airflow_provider_phonelink.decisions.rotation import Asked

        run = _run(context)
        dag: Any = context.get("dag")
        schedule = getattr(dag, "schedule", None)
        return Asked(
            agent_id=self.agent_id,
            at=run.at if run else datetime.now(timezone.utc),
            run=run,
            schedule=None if schedule is None else str(schedule),
        )

    def _rules(self) -> RotationRules:
        """Check the arguments that all vendors' operators have, before anything is sent."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.decisions.rotation import ON_UNHEALTHY, RotationRules
        from airflow_provider_phonelink.operators.strategy import strategy_of

        return RotationRules(
            strategy=strategy_of(self, self.strategy, self._constructed_strategy),
            weights=self._weights(),
            min_healthy=arguments.integer("min_healthy", self.min_healthy, lowest=1, highest=1_000_000),
            on_unhealthy=arguments.choice("on_unhealthy", self.on_unhealthy, ON_UNHEALTHY),
            cool_down=_duration("cool_down", self.cool_down),
            max_in_use=_duration("max_in_use", self.max_in_use),
        )

    def _weights(self) -> dict[str, int]:
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.api.errors import InvalidArgumentError
        from airflow_provider_phonelink.api.templates import parse_rendered

        weights = parse_rendered("weights", self.weights)
        if weights is None or arguments.is_empty(weights):
            return {}
        if not hasattr(weights, "items"):
            raise InvalidArgumentError("weights", "is not a dict of numbers and whole numbers.")
        return {
            arguments.number_name("weights", name, uuids=self.uuids): arguments.integer(
                "weights", weight, lowest=1, highest=1000
            )
            for name, weight in weights.items()
        }

    def _tell(self, context: Context, outcome: Rotated, told: Callable[[], None]) -> None:
        """Tell what this run did, in whichever of its tries."""
        from airflow_provider_phonelink.decisions.rotation_memory import State
        from airflow_provider_phonelink.metrics import count_rotation
        from airflow_provider_phonelink.operators.events import LinkChange, tell

        vendor, use = self.hook.vendor.key, outcome.use
        changes = []
        if use is not None:
            change = LinkChange(
                vendor=vendor,
                number_id=use.number_id,
                phone_number=use.phone_number,
                mode=self.mode,
                agent_id=outcome.agent_id,
                previous_number_id=use.previous,
                changed=use.state is State.CHOSEN,
            )
            changes.append(change)
        tell(self, context, changes, vendor=vendor, told=told)
        if outcome.changed:
            count_rotation(vendor)


def _run(context: Context) -> Run | None:
    """Return the task and its DAG run; None where an operator is executed by hand."""
    from airflow_provider_phonelink.decisions.rotation_memory import Run

    ti: Any = context.get("ti")
    if ti is None:
        return None
    at = getattr(context.get("dag_run"), "run_after", None) or context.get("logical_date")
    return Run(str(ti.dag_id), str(ti.task_id), str(ti.run_id), at or datetime.now(timezone.utc))


def _duration(argument: str, value: object) -> timedelta:
    """Return a time span that is given as such, or in seconds; no time for None."""
    from airflow_provider_phonelink.api import arguments
    from airflow_provider_phonelink.api.errors import InvalidArgumentError

    if value is None:
        return timedelta()
    value = arguments.in_seconds(value)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise InvalidArgumentError(
                argument, f"{value!r} is neither a timedelta nor a number of seconds."
            ) from None
    return timedelta(seconds=arguments.seconds(argument, value))
