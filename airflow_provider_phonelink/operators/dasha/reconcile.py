"""The reconcile operator for Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.files.sources import as_written
from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.reconciling import FIELDS, ReconcileLinksOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_provider_phonelink.operators.reconciling import OnDrift


class DashaReconcileLinksOperator(ReconcileLinksOperator, DashaOperator):
    """
    Make the links equal the routes: afterwards each number serves the agent that its route names.

    Reads the links as they are, logs the plan as a diff (``+ link``, ``~ move``, ``- unlink``), checks it and
    applies it side by side: links first, then moves, removals last. Links that no route mentions stay, unless
    ``prune`` is on. An outbound route makes the number the agent's one outbound number.

    Safe to retry: what is so already is not written again, so that a second run does what a first one could
    not. If some changes fail the others are made nevertheless, and the task fails and names each; it is retried
    if that can help. Each change looks again before it writes, but the vendor has no conditional write: a link
    that somebody makes at the same moment is overwritten by the route.

    Returns ``drift`` (whether the links differed from the routes), ``applied``, ``changes`` (a dict for each, in
    order, with ``action``, ``number_id``, ``phone_number``, ``agent_id``, ``mode``, ``previous_agent_id``,
    ``previous_number_id``, ``state``: planned, done, failed or held back, and ``error``), ``unchanged``, ``done``,
    ``failed``, ``held_back``, ``links_in_scope`` and ``warnings``. It is there for other tasks also if this one
    fails over its changes or is skipped.

    :param routes: A list with a dict for each route: ``number`` (an id or a phone number; or say which by
        ``phone_number_id`` or ``phone_number``), ``agent_id``, and ``mode``: ``inbound`` (default) or
        ``replaceOutbound``; ``comment`` is for people. Or the path of a YAML, JSON or CSV file of such routes; a
        relative one begins at the DAG file's folder. A phone number is taken as it is written; only if there is
        none written like that, by E.164. (templated)
    :param dry_run: Whether only to plan. (templated, as ``plan_only``)
    :param prune: Whether links in ``scope`` that no route mentions are removed. (templated)
    :param max_changes: With more changes nothing is written and the task fails without a retry: a count, or a
        percentage such as ``"10%"`` of the links before the run that are in scope or belong to a number with a
        route. (templated)
    :param scope: What may be pruned: a dict of ``agents`` (ids), ``provider_id``, ``pool`` (numbers, by id or phone
        number) and ``modes``; several narrow it together. Without inbound in ``modes``, inbound links stay, and
        likewise outbound ones. To prune outbound links, each number in scope has to be read. (templated)
    :param on_drift: What a dry run with changes in its plan does: ``report`` succeeds, ``fail`` fails without a
        retry, ``skip`` skips. (templated)
    :param dasha_conn_id: Airflow connection of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = (*FIELDS, "dasha_conn_id")

    def __init__(
        self,
        *,
        routes: Sequence[Mapping[str, Any]] | str | Path,
        dry_run: bool | str = False,
        prune: bool | str = False,
        max_changes: int | str | None = None,
        scope: Mapping[str, Any] | None = None,
        on_drift: OnDrift = "report",
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.routes = routes
        self.plan_only = dry_run
        self.prune = prune
        self.max_changes = max_changes
        self.scope = scope
        self.on_drift = on_drift
        self._routes_begin = as_written(routes)
        self._given = given_arguments(self, "max_changes")
        self.dasha_conn_id = dasha_conn_id
