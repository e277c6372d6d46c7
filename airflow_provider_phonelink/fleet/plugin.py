"""
The plugin that adds the page to Airflow's UI.

Each of Airflow's processes that looks for plugins imports this module, so it imports nothing of the page. The page is
built when the API server gets the first request for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow import __version__ as airflow_version
from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

PREFIX = "/phonelink"


class _OnFirstRequest:
    """An ASGI application that is made when it is first asked for something."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Any],
    ) -> None:
        if self._app is None:
            from airflow_provider_phonelink.fleet.web import make_app

            self._app = make_app()
        await self._app(scope, receive, send)


def _shows_views(version: str) -> bool:
    """Whether this Airflow shows a plugin's views; 3.0 does not."""
    return tuple(map(int, version.split(".")[:2])) >= (3, 1)


class PhonelinkPlugin(AirflowPlugin):
    """Adds "Phone numbers" to the navigation, from Airflow 3.1 on."""

    name = "phonelink"
    if _shows_views(airflow_version):
        fastapi_apps = [{"name": "phonelink", "app": _OnFirstRequest(), "url_prefix": PREFIX}]
        external_views = [
            {
                "name": "Phone numbers",
                # Relative to Airflow's base URL, which may have a path.
                "href": f"{PREFIX[1:]}/numbers",
                "destination": "nav",
                "category": "browse",
                "url_route": "phone-numbers",
            }
        ]
