"""The export operator for CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.callingbox.base import CallingBoxOperator
from airflow_provider_phonelink.operators.exporting import FIELDS, ExportRoutesOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CallingBoxExportRoutesOperator(ExportRoutesOperator, CallingBoxOperator):
    """
    Return the links at CallingBox, as they are, as routes.

    The task only reads, so it can be retried at any time, and reads again if it is cleared. All links are read with the
    list of numbers.

    Returns a list with a dict for each link, as the reconcile operator takes them as routes:
    ``number``, a phone number, or an id if several numbers have that phone number; ``agent_id``; and ``mode``,
    ``inbound`` or ``outbound``. Applied with ``prune`` in the same scope, they bring back the links as they were.

    From the vendor's pages on listing agents and numbers.

    :param agents: Only links of these agents: ids, a list or text such as ``"a, b"``. None (default): of any agent.
        (templated)
    :param scope: Only links in this scope: a dict of ``agents`` (ids), ``pool`` (numbers, by id or phone
        number) and ``modes``; a link has to match all that are given. None (default): all links. (templated)
    :param callingbox_conn_id: The Airflow connection, of type ``callingbox``. (templated)
    """

    template_fields: Sequence[str] = (*FIELDS, "callingbox_conn_id")

    def __init__(
        self,
        *,
        agents: Sequence[str] | str | None = None,
        scope: Mapping[str, Any] | None = None,
        callingbox_conn_id: str = "callingbox_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.agents = agents
        self.scope = scope
        self.callingbox_conn_id = callingbox_conn_id
        self._given = given_arguments(self)
