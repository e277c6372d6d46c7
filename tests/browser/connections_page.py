"""Airflow's page of connections, in the words of somebody who uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Locator, Page


class ConnectionsPage:
    """The list of connections."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        page.goto(f"{url}/connections")

    def add(self, type_name: str) -> ConnectionForm:
        """Open the form for a new connection of a type."""
        self._page.get_by_role("button", name="Add Connection").click()
        form = ConnectionForm(self._page)
        form.choose_type(type_name)
        return form

    def edit(self, conn_id: str) -> ConnectionForm:
        """Open the form of a connection."""
        self._row(conn_id).get_by_role("button", name="Edit Connection").click()
        return ConnectionForm(self._page)

    def test_button(self, conn_id: str) -> Locator:
        """The first of the three buttons in a connection's row."""
        return self._row(conn_id).get_by_role("button").first

    def _row(self, conn_id: str) -> Locator:
        cell = self._page.get_by_role("cell", name=conn_id, exact=True)
        return self._page.get_by_role("row").filter(has=cell)


class ConnectionForm:
    """The dialog in which a connection is added or edited. One of its sections is open at a time."""

    def __init__(self, page: Page) -> None:
        self.dialog = page.get_by_role("dialog")
        expect(self.dialog).to_be_visible()
        self._page = page

    def choose_type(self, type_name: str) -> None:
        choice = self.dialog.get_by_role("combobox")
        choice.fill(type_name)
        choice.press("Enter")
        expect(self.dialog.get_by_text("Standard Fields")).to_be_visible()

    def open(self, section: str) -> None:
        """Open a section: Standard Fields, Extra Fields or Extra Fields JSON."""
        button = self.dialog.get_by_role("button", name=section, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(self.dialog.get_by_role("region")).to_have_count(1)  # the section before has folded up

    def labels(self) -> list[str]:
        """The labels of the fields that can be seen, from top to bottom."""
        texts = self.dialog.locator("label").filter(visible=True).all_inner_texts()
        return [text.removesuffix("*").strip() for text in texts if text.strip()]

    def row(self, label: str) -> Locator:
        """A field with its label and its explanation."""
        text = self._page.get_by_text(
            re.compile(rf"^{re.escape(label)}\s*\*?$")
        )  # a star: it must be filled in
        return self.dialog.get_by_role("group").filter(has=text)

    def field(self, label: str) -> Locator:
        """A field itself."""
        return self.row(label).locator("input, textarea").first

    def fill(self, values: Mapping[str, str | bool]) -> None:
        """Type into fields that can be seen, or turn their switches."""
        for label, value in values.items():
            if isinstance(value, bool):
                if self.field(label).is_checked() != value:
                    self.row(label).get_by_text(label, exact=True).click()
            else:
                self.field(label).fill(value)
                self.field(label).blur()

    def values(self, labels: Mapping[str, str | bool]) -> dict[str, str | bool]:
        """What is in the fields, in the form in which it was filled in."""
        return {
            label: self.field(label).is_checked()
            if isinstance(kind, bool)
            else self.field(label).input_value()
            for label, kind in labels.items()
        }

    def save(self) -> None:
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()

    def close(self) -> None:
        self.dialog.get_by_role("button", name="Close").click()
        expect(self.dialog).to_be_hidden()
