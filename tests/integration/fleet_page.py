"""The page "Phone numbers" as Airflow's API server serves it, with its own authentication, in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx


class Page:
    """The application, mounted as the API server mounts it."""

    def __init__(self) -> None:
        from airflow.api_fastapi.app import create_auth_manager, init_auth_manager
        from fastapi import FastAPI

        from airflow_provider_phonelink.fleet.plugin import PREFIX
        from airflow_provider_phonelink.fleet.web import make_app

        create_auth_manager()
        self.manager: Any = init_auth_manager()
        self._app = FastAPI()
        self._app.mount(PREFIX, make_app())
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.close()

    def get(self, path: str, role: str | None = "ADMIN", **params: str) -> httpx.Response:
        """Ask for a path below ``/phonelink`` as a user with a role, or as nobody."""
        return self.get_all([path], role, **params)[0]

    def get_all(self, paths: list[str], role: str | None = "ADMIN", **params: str) -> list[httpx.Response]:
        """Ask for several paths at once."""
        return self._loop.run_until_complete(self._get_all(paths, self._cookies(role), params))

    async def _get_all(
        self, paths: list[str], cookies: Mapping[str, str], params: Mapping[str, str]
    ) -> list[httpx.Response]:
        import httpx

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url="http://airflow.example", cookies=dict(cookies)
        ) as client:
            return await asyncio.gather(*(client.get(f"/phonelink{path}", params=params) for path in paths))

    def _cookies(self, role: str | None) -> dict[str, str]:
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        if role is None:
            return {}
        user = SimpleAuthManagerUser(username=role.lower(), role=role)
        return {"_token": self.manager.generate_jwt(user)}


@pytest.fixture
def server_page(airflow_database, phonelink_sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """The page of an API server whose connections lead to the sandbox."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    page = Page()
    yield page
    page.close()
