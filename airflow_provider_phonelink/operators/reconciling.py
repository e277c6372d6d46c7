"""What the reconcile operators of all vendors have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow.sdk import BaseOperator

from airflow_provider_phonelink.exceptions import (
    airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.files.sources import as_written
from airflow_provider_phonelink.operators.arguments import path_as_text
from airflow_provider_phonelink.operators.results import delivered, leave

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_provider_phonelink.decisions.approvals import ApprovedPlan
    from airflow_provider_phonelink.decisions.links import LinkRules
    from airflow_provider_phonelink.decisions.planning import Plan

OnDrift: TypeAlias = Literal["report", "fail", "skip"]
ON_DRIFT = ("report", "fail", "skip")
#: Templated fields. ``dry_run`` is kept as ``plan_only``, for each Airflow operator has a method of that name.
FIELDS = ("routes", "plan_only", "prune", "max_changes", "scope", "on_drift", "approved_plan")


class ReconcileLinksOperator(BaseOperator):
    """
    Plan, check, apply.

    It has no constructor: Airflow wraps each one of a class hierarchy, and that is what parsing a file costs.
    """

    #: A path of routes is templated; what is in the file is not.
    template_ext: Sequence[str] = ()
    template_fields_renderers = {  # noqa: RUF012 - as Airflow declares it
        "routes": "json",
        "scope": "json",
        "approved_plan": "json",
    }

    routes: Sequence[Mapping[str, Any]] | str | Path
    plan_only: bool | str
    prune: bool | str
    max_changes: int | str | None
    scope: Mapping[str, Any] | None
    on_drift: OnDrift
    approved_plan: Mapping[str, Any] | str | None
    extra_columns: Sequence[str]
    #: How the place of the routes begins, where a template completes it.
    _routes_begin: str | None
    #: The vendor's.
    hook: Any

    def _accept(
        self,
        routes: Sequence[Mapping[str, Any]] | str | Path,
        dry_run: bool | str,
        prune: bool | str,
        max_changes: int | str | None,
        scope: Mapping[str, Any] | None,
        on_drift: OnDrift,
        approved_plan: Mapping[str, Any] | str | None = None,
        extra_columns: Sequence[str] = (),
    ) -> None:
        """Take the arguments that all vendors' operators have; to be called by the constructor."""
        self.routes = path_as_text(routes)
        self.plan_only = dry_run
        self.prune = prune
        self.max_changes = max_changes
        self.scope = scope
        self.on_drift = on_drift
        self.approved_plan = approved_plan
        self.extra_columns = extra_columns
        self._routes_begin = as_written(routes)

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the links, plan, check the plan, apply it."""
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.promises.reports import Report
        from airflow_provider_phonelink.promises.routing import routing_of

        with open_journal(self, context) as journal, self.hook as hook:
            routing = routing_of(hook.vendor)
            with as_airflow_exceptions():
                approved = self._approved()
                dry_run, limit, wish = self._checked(routing.rules)
            if dry_run:
                journal.catch_up(hook)  # an earlier try was none, perhaps
            plan = hook.run(routing.plan(**wish))
            self._log_plan(plan)
            self._leave(context, plan)
            bound = self._bound(plan, approved)
            if dry_run:
                result = self._drift(context, Report(plan).result(), plan)
                emit_journal(self, context, journal, vendor=hook.vendor.key, forget=True)
                return result
            with as_airflow_exceptions():
                bound.refuse_more_than(limit)
            report = hook.run(routing.apply(bound, lambda result: result.log_to(self.log), journal))
            if not report.complete:
                leave(self, context, report.result())
                raise airflow_exception(report.summary, retry_helps=report.retry_helps)
        self.log.info("%s", report.summary)
        self._measure(0)
        emit_journal(self, context, journal, vendor=hook.vendor.key, forget=True)
        return delivered(self, context, report.result())

    def _approved(self) -> ApprovedPlan | None:
        from airflow_provider_phonelink.decisions.approvals import parse_approved_plan

        return None if self.approved_plan is None else parse_approved_plan(self.approved_plan)

    def _bound(self, plan: Plan, approved: ApprovedPlan | None) -> Plan:
        """Return the plan, bound to what was approved."""
        from airflow_provider_phonelink.api.errors import NotApprovedError

        if approved is None:
            return plan
        with as_airflow_exceptions():
            try:
                return approved.bind(plan)
            except NotApprovedError as error:
                for line in error.others:
                    self.log.warning("%s", line)
                raise

    def _checked(self, rules: LinkRules) -> tuple[bool, Any, dict[str, Any]]:
        """Check all arguments before anything is sent."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.decisions.limits import parse_max_changes
        from airflow_provider_phonelink.decisions.routes import COLUMNS, parse_routes, rows_of_vendor
        from airflow_provider_phonelink.decisions.scope import demand_scope, parse_scope
        from airflow_provider_phonelink.files.reading import read_rows

        arguments.choice("on_drift", self.on_drift, ON_DRIFT)
        prune = arguments.boolean("prune", self.prune)
        scope = parse_scope(self.scope, rules)
        demand_scope(scope, prune)
        folder = self.dag.folder if self.has_dag() else None  # type: ignore[no-untyped-call]
        columns = COLUMNS.with_extra(self.extra_columns)
        rows = read_rows(self.routes, columns, argument="routes", folder=folder, beginning=self._routes_begin)
        rows, others = rows_of_vendor(rows, self.hook.vendor.key)
        routes = parse_routes(rows, rules, removing=prune)
        if others:
            self.log.info("%s", others)
        limit = parse_max_changes(self.max_changes)
        return (
            arguments.boolean("dry_run", self.plan_only),
            limit,
            {"routes": routes, "scope": scope, "prune": prune},
        )

    def _log_plan(self, plan: Plan) -> None:
        for line in plan.diff():
            self.log.info("%s", line)
        for warning in plan.warnings:
            self.log.warning("%s", warning)
        self.log.info("Plan: %s; %d links in scope.", plan.summary, plan.links_in_scope)

    def _leave(self, context: Context, plan: Plan) -> None:
        """Let metrics and page know what the routes want, and how far the links are from it."""
        from airflow_provider_phonelink.operators.wishes import leave_wishes

        self._measure(len(plan.changes))
        leave_wishes(self, context, self.hook.vendor.key, self.hook.conn_id, plan.extras.keys())

    def _measure(self, drift: int) -> None:
        from airflow_provider_phonelink.metrics import measure_drift

        dag_id = self.dag_id if self.has_dag() else ""  # type: ignore[no-untyped-call]
        measure_drift(self.hook.vendor.key, dag_id, self.task_id, drift)

    def _drift(self, context: Context, result: dict[str, Any], plan: Plan) -> dict[str, Any]:
        from airflow_provider_phonelink.compat import AirflowSkipException

        if plan.in_sync or self.on_drift == "report":
            return delivered(self, context, result)
        leave(self, context, result)
        message = f"The links are not as the routes want them: {plan.summary}. Nothing was changed (dry run)."
        if self.on_drift == "skip":
            raise AirflowSkipException(message)
        raise airflow_exception(message, retry_helps=False)
