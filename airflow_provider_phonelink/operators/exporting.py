"""What the export operators of all vendors have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_phonelink.exceptions import as_airflow_exceptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

#: Templated fields.
FIELDS = ("agents", "scope")


class ExportRoutesOperator(BaseOperator):
    """
    Read the links, and return them as routes.

    It has no constructor: Airflow wraps each one of a class hierarchy, and that is what parsing a file costs.
    """

    template_fields_renderers = {"scope": "json"}  # noqa: RUF012 - as Airflow declares it

    agents: Sequence[str] | str | None
    scope: Mapping[str, Any] | None
    #: The vendor's.
    hook: Any

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Read the links."""
        from airflow_provider_phonelink.decisions.scope import parse_scope
        from airflow_provider_phonelink.promises.outcomes import storable
        from airflow_provider_phonelink.promises.routing import routing_of

        routing = routing_of(self.hook.vendor)
        with as_airflow_exceptions():
            scope = parse_scope(self._wanted(), routing.rules)
        with self.hook as hook:
            routes, warnings = hook.run(routing.export(scope))
        for warning in warnings:
            self.log.warning("%s", warning)
        self.log.info("%d routes.", len(routes))
        return [storable(route) for route in routes]

    def _wanted(self) -> object:
        """Return the scope, to which ``agents`` belong."""
        from collections.abc import Mapping

        from airflow_provider_phonelink.api.errors import InvalidArgumentError

        if self.agents is None:
            return self.scope
        if self.scope is None:
            return {"agents": self.agents}
        if isinstance(self.scope, Mapping) and "agents" in self.scope:
            raise InvalidArgumentError("agents", "are in the scope, too; leave one of them out.")
        return {**self.scope, "agents": self.agents} if isinstance(self.scope, Mapping) else self.scope
