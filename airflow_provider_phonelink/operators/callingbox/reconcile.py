"""The reconcile operator for CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.reconciling import FIELDS, ReconcileLinksOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_provider_phonelink.operators.reconciling import OnDrift


class CallingBoxReconcileLinksOperator(ReconcileLinksOperator, CallingBoxOperator):
    """
    Make the links at CallingBox equal the routes.

    Afterwards each agent has the numbers that its routes name. The task reads the links, logs the plan as a diff
    (``+ link``, ``~ move``, ``- unlink``), checks it and applies it, one change after the other: new links first, then
    moves, removals last. A number moves from one inbound agent to another as
    :class:`~airflow_provider_phonelink.operators.callingbox.CallingBoxAttachNumberOperator` moves it, primary numbers
    included, but only from the agent in the plan: if another agent has it by then, it is left for the next run. Links
    that no route mentions stay, unless ``prune`` is on. Numbers stay bought and billed.

    A retry or a second run makes a new plan and writes only what is still missing. If some changes fail, the others are
    still made; then the task fails and names each one, and it is retried if that can help.

    Returns a dict with the same entries as
    :class:`~airflow_provider_phonelink.operators.dasha.reconcile.DashaReconcileLinksOperator`.

    From the vendor's pages on listing agents and numbers, attaching and detaching.

    :param routes: A list with a dict for each route: ``number``, an id or a phone number (or ``number_id`` or
        ``phone_number``, to say which it is); ``agent_id``; ``mode``, ``inbound`` or ``outbound``, which may be left
        out and otherwise must be the agent's type; ``vendor``, if others share the list; and ``comment``, for people.
        Or the path or URL of a YAML, JSON or CSV file with such routes; a relative path starts at the folder of the DAG
        file. (templated)
    :param dry_run: Whether to plan only and write nothing, except that what an earlier try took from an agent to hand
        it on goes back first; False by default. (templated, under the name ``plan_only``)
    :param prune: Whether to remove links in ``scope`` that no route mentions; False by default. (templated)
    :param max_changes: The most changes that the plan may have: a count of all changes, or a percentage such as
        ``"10%"`` of the links that are in scope, belong to a number with a route or are replaced by one, which is how
        many of them may be moved or removed. With more, nothing is written and the task fails without a retry. None
        (default): no limit. (templated)
    :param scope: Which links ``prune`` may remove: a dict of ``agents`` (ids), ``pool`` (numbers, by id or phone
        number) and ``modes``; a link has to match all that are given. (templated)
    :param on_drift: What a dry run does if the plan has changes: ``report`` (default) succeeds, ``fail`` fails without
        a retry, ``skip`` skips the task. (templated)
    :param approved_plan: The result of a dry run that somebody approved, such as ``plan.output``: no other changes than
        those in it are made, and a number is taken only from the agent in it. What has become true since is no change
        any more. If anything else would have to be changed, nothing is written and the task fails without a retry; the
        message names each such change. None (default): whatever the routes ask for. (templated)
    :param extra_columns: Further columns or keys that the routes may have, beside those that begin with ``x_``: a list,
        or text such as ``"team, ticket"``. Their values are in each change's ``extra``. None by default.
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
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
        callingbox_conn_id: str = "callingbox_default",
        on_drift: OnDrift = "report",
        approved_plan: Mapping[str, Any] | str | None = None,
        extra_columns: Sequence[str] = (),
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self._accept(routes, dry_run, prune, max_changes, scope, on_drift, approved_plan, extra_columns)
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)
