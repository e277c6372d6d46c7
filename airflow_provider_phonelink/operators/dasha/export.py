"""The export operator for Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.operators.arguments import given_arguments
from airflow_provider_phonelink.operators.dasha.base import DashaOperator
from airflow_provider_phonelink.operators.exporting import FIELDS, ExportRoutesOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class DashaExportRoutesOperator(ExportRoutesOperator, DashaOperator):
    """
    Return the links at Dasha BlackBox, as they are, as routes.

    The task only reads, so it can be retried at any time, and reads again if it is cleared. The inbound links are read
    with the list of numbers, the outbound ones with a request for each SIP credential.

    Returns a list with a dict for each link, as the reconcile operator takes them as routes: ``number``, a phone
    number, or an id if several numbers have that phone number; ``agent_id``; and ``mode``, ``inbound`` or
    ``replaceOutbound``. Applied with ``prune`` in the same scope, they bring back the links as they were.

    From the vendor's pages on listing phone numbers and on affected agents.

    :param agents: Only links of these agents: ids, a list or text such as ``"a, b"``. None (default): of any agent.
        (templated)
    :param scope: Only links in this scope: a dict of ``agents`` (ids), ``provider_id``, ``pool`` (numbers, by id or
        phone number) and ``modes``; a link has to match all that are given. None (default): all links. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    """

    template_fields: Sequence[str] = (*FIELDS, "dasha_conn_id")

    def __init__(
        self,
        *,
        agents: Sequence[str] | str | None = None,
        scope: Mapping[str, Any] | None = None,
        dasha_conn_id: str = "dasha_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.agents = agents
        self.scope = scope
        self.dasha_conn_id = dasha_conn_id
        self._given = given_arguments(self)
