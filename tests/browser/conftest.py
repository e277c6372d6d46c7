"""
A browser, and an Airflow for it to look at.

With `--pictures FOLDER` the tests leave behind what they have seen, as the pictures of the documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_harness.programs import path_of
from airflow_harness.waiting import EVENTUALLY
from playwright.sync_api import expect, sync_playwright

from airflow_provider_phonelink.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_harness.processes import Deployment
    from playwright.sync_api import BrowserContext, FloatRect, Page

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "example_dags"
DAGS = [EXAMPLES / "onboarding.py", EXAMPLES / "nightly_rotation.py", HERE / "read_connection.py"]

# The last five: nothing that the browser does by itself.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: A picture of what fills it is 1,440 pixels wide.
WINDOW = {"width": 720, "height": 1000}
PIXELS = 2
#: Milliseconds. A busy machine is no failure.
PATIENCE = EVENTUALLY * 1000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pictures", type=Path, metavar="FOLDER", help="where to put pictures, none if not given"
    )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed="demo") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def airflow(deploy: Callable[..., Deployment], sandbox: Sandbox) -> Iterator[Deployment]:
    """A whole Airflow in which connections may be tested."""
    settings = {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}
    with deploy("browser", dags=DAGS, connections=sandbox.connections, settings=settings) as airflow:
        yield airflow


# While it is there no other test can have an event loop, so it goes with the last test of this folder.
@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=path_of("chromium"),
            args=FLAGS,
            viewport=WINDOW,
            device_scale_factor=PIXELS,
            color_scheme="light",
            locale="en-US",
        )
        context.set_default_timeout(PATIENCE)
        yield context
        context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def picture(request: pytest.FixtureRequest, page: Page) -> Callable[[str, FloatRect], None]:
    """Take a picture of an area of the page, if pictures are wanted: ``picture("rotation-log", area)``."""
    folder = request.config.getoption("--pictures")

    def take(name: str, area: FloatRect) -> None:
        if folder:
            page.screenshot(path=folder / f"{name}.png", clip=area, animations="disabled", caret="hide")

    return take
