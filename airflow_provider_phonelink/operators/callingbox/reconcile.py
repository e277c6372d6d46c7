"""The reconcile operator for CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.files.sources import as_written
from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.reconciling import FIELDS, ReconcileLinksOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_provider_phonelink.operators.reconciling import OnDrift


class CallingBoxReconcileLinksOperator(ReconcileLinksOperator, CallingBoxOperator):
    """
    Make the links equal the routes: afterwards each agent has the numbers that its routes name.

    Reads the links as they are, logs the plan as a diff (``+ link``, ``~ move``, ``- unlink``), checks it and
    applies it, one change after another: links first, then moves, removals last. A number moves from one inbound
    agent to another as :class:`~airflow_provider_phonelink.operators.callingbox.CallingBoxAttachNumberOperator` moves
    it, primary numbers included, but only from the agent in the plan: if yet another one has it by then, it is left
    to the next run. Links that no route mentions stay, unless ``prune`` is on. Numbers stay bought and billed.

    Safe to retry: what is so already is not written again, so that a second run does what a first one could
    not. If some changes fail the others are made nevertheless, and the task fails and names each; it is retried
    if that can help.

    Returns what
    :class:`~airflow_provider_phonelink.operators.dasha.reconcile.DashaReconcileLinksOperator` returns.

    :param routes: A list with a dict for each route: ``number`` (an id or a phone number; or say which by
        ``number_id`` or ``phone_number``), ``agent_id`` and, if wanted, ``mode``: ``inbound`` or ``outbound``, as
        the agent's type is; ``comment`` is for people. Or the path of a YAML, JSON or CSV file of such routes; a
        relative one begins at the DAG file's folder. (templated)
    :param dry_run: Whether only to plan. (templated, as ``plan_only``)
    :param prune: Whether links in ``scope`` that no route mentions are removed. (templated)
    :param max_changes: With more changes nothing is written and the task fails without a retry: a count, or a
        percentage such as ``"10%"`` of the links before the run that are in scope or belong to a number with a
        route. (templated)
    :param scope: What may be pruned: a dict of ``agents`` (ids), ``pool`` (numbers, by id or phone number) and
        ``modes``; several narrow it together. (templated)
    :param on_drift: What a dry run with changes in its plan does: ``report`` succeeds, ``fail`` fails without a
        retry, ``skip`` skips. (templated)
    :param callingbox_conn_id: Airflow connection of type ``callingbox``. (templated)
    """

    template_fields: Sequence[str] = (*FIELDS, "callingbox_conn_id")

    def __init__(
        self,
        *,
        routes: Sequence[Mapping[str, Any]] | str | Path,
        dry_run: bool | str = False,
        prune: bool | str = False,
        max_changes: int | str | None = None,
        scope: Mapping[str, Any] | None = None,
        on_drift: OnDrift = "report",
        callingbox_conn_id: str = "callingbox_default",
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
        self.callingbox_conn_id = callingbox_conn_id
