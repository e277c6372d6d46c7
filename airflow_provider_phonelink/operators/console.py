"""Links from a task in Airflow's UI to the vendor's web console, if the connection has a ``console_url``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class NumberInConsoleLink(BaseOperatorLink):
    """A link to the number that the task worked on."""

    name = "Number in the console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address; empty if it is unknown. Sends no request, because the task has read the connection."""
        settings = _settings_of(operator)
        return settings.number_in_console(_id(operator, "phone_number_id", "number_id")) if settings else ""


class AgentInConsoleLink(BaseOperatorLink):
    """A link to the agent that the task worked on."""

    name = "Agent in the console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address; empty if it is unknown. Sends no request, because the task has read the connection."""
        settings = _settings_of(operator)
        return settings.agent_in_console(_id(operator, "agent_id")) if settings else ""


def _settings_of(operator: BaseOperator) -> Any:
    """Return the connection's settings, if the task has read them."""
    hook = vars(operator).get("hook")
    return vars(hook).get("settings") if hook else None


def _id(operator: BaseOperator, *names: str) -> str:
    return str(next((value for name in names if (value := getattr(operator, name, None))), ""))
