"""The page "Phone numbers", in the words of somebody who looks at it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_harness.processes import Deployment
    from playwright.sync_api import FrameLocator, Locator, Page

_TOKEN = """
from airflow.api_fastapi.app import create_auth_manager, init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
create_auth_manager()
print("token:", init_auth_manager().generate_jwt(SimpleAuthManagerUser(username="{role}", role="{role}")))
"""


def token(airflow: Deployment, role: str) -> str:
    """Return what a user with a role has in the cookie after signing in."""
    done = subprocess.run(
        [sys.executable, "-c", _TOKEN.format(role=role)],
        env=airflow.home.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rpartition("token:")[2].strip()


class FleetPage:
    """The page, within Airflow's navigation or alone in the window."""

    def __init__(self, inside: Page | FrameLocator) -> None:
        self.inside = inside

    @classmethod
    def by_navigation(cls, page: Page, url: str) -> FleetPage:
        """Sign in, and go where the navigation leads."""
        page.goto(url)
        page.get_by_role("button", name="Browse").click()
        page.get_by_role("menuitem", name="Phone numbers").click()
        return cls(page.frame_locator("iframe[title='Phone numbers']"))

    @classmethod
    def alone(cls, page: Page, url: str, view: str = "") -> FleetPage:
        """Open a permalink, as somebody who is signed in."""
        page.goto(url)
        expect(page.get_by_role("button", name="Browse")).to_be_visible()
        page.goto(f"{url}/phonelink/{view or 'numbers'}")
        return cls(page)

    def row(self, phone_number: str) -> Locator:
        """The row of a number; others may mention it as what it replaced."""
        number = self.inside.locator("td:first-child").get_by_text(phone_number, exact=True)
        return self.rows().filter(has=number)

    def rows(self) -> Locator:
        """All rows but the heading."""
        return self.inside.locator("tbody tr")

    def count(self) -> Locator:
        """How many numbers are shown, in words."""
        return self.inside.locator(".count")
