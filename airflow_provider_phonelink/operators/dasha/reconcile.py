"""The reconcile operator for Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.reconciling import FIELDS, ReconcileLinksOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_provider_phonelink.operators.reconciling import OnDrift


class DashaReconcileLinksOperator(ReconcileLinksOperator, DashaOperator):
    """
    Make the links at Dasha BlackBox equal the routes.

    Afterwards each number serves the agent that its route names. The task reads the links, logs the plan as a diff
    (``+ link``, ``~ move``, ``- unlink``), checks it and applies it, the changes of a step in parallel: new links
    first, then moves, removals last. Links that no route mentions stay, unless ``prune`` is on. An outbound route
    makes the number the agent's one outbound number.

    A retry or a second run makes a new plan and writes only what is still missing. If some changes fail, the others are
    still made; then the task fails and names each one, and it is retried if that can help. Each change looks again
    before it writes, but the vendor has no conditional write: a link that somebody else makes in the moment between
    the last look and the write is overwritten.

    Returns a dict: ``drift`` (bool), whether the links differed from the routes; ``applied`` (bool); ``changes``, a
    list of dicts in the order of the plan, each with ``action``, ``number_id``, ``phone_number``, ``agent_id``,
    ``mode``, ``previous_agent_id``, ``previous_number_id``, ``extra``, ``state`` (``planned``, ``done``, ``failed`` or
    ``held back``) and ``error``; the counts ``unchanged``, ``done``, ``failed``, ``held_back`` and
    ``links_in_scope``; and ``warnings``. Other tasks can read it even if this one is skipped or fails because of its
    changes.

    From the vendor's pages on listing phone numbers, affected agents, linking and unlinking.

    :param routes: A list with a dict for each route: ``number``, an id or a phone number (or ``phone_number_id`` or
        ``phone_number``, to say which it is); ``agent_id``; ``mode``, ``inbound`` (default) or ``replaceOutbound``;
        ``vendor``, if others share the list; and ``comment``, for people. Or the path or URL of a YAML, JSON or CSV
        file with such routes; a relative path starts at the folder of the DAG file. A phone number is looked up as
        written; only if no number is written that way, by its E.164 form. (templated)
    :param dry_run: Whether to plan only and write nothing, except that what an earlier try took from an agent to hand
        it on goes back first; False by default. (templated, under the name ``plan_only``)
    :param prune: Whether to remove links in ``scope`` that no route mentions; False by default. (templated)
    :param max_changes: The most changes that the plan may have: a count of all changes, or a percentage such as
        ``"10%"`` of the links that are in scope, belong to a number with a route or are replaced by one, which is how
        many of them may be moved or removed. With more, nothing is written and the task fails without a retry. None
        (default): no limit. (templated)
    :param scope: Which links ``prune`` may remove: a dict of ``agents`` (ids), ``provider_id``, ``pool`` (numbers, by
        id or phone number) and ``modes``; a link has to match all that are given. Without ``inbound`` in ``modes``,
        inbound links are never removed, and likewise outbound ones. To prune outbound links, every number in scope has
        to be read. (templated)
    :param on_drift: What a dry run does if the plan has changes: ``report`` (default) succeeds, ``fail`` fails without
        a retry, ``skip`` skips the task. (templated)
    :param approved_plan: The result of a dry run that somebody approved, such as ``plan.output``: no other changes than
        those in it are made, and a number is taken only from the agent in it. What has become true since is no change
        any more. If anything else would have to be changed, nothing is written and the task fails without a retry; the
        message names each such change. None (default): whatever the routes ask for. (templated)
    :param extra_columns: Further columns or keys that the routes may have, beside those that begin with ``x_``: a list,
        or text such as ``"team, ticket"``. Their values are in each change's ``extra``. None by default.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
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
        dasha_conn_id: str = "dasha_default",
        on_drift: OnDrift = "report",
        approved_plan: Mapping[str, Any] | str | None = None,
        extra_columns: Sequence[str] = (),
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self._accept(routes, dry_run, prune, max_changes, scope, on_drift, approved_plan, extra_columns)
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)
