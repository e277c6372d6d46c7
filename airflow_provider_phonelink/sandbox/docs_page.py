"""The endpoints as one page of HTML that needs nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
code {{ font-size: 14px; }} td {{ padding: .2rem 1rem .2rem 0; vertical-align: top; }}
td:first-child {{ width: 4rem; font-weight: 600; }}
</style></head><body><h1>{title}</h1>
<p>Described in full by <a href="/openapi.json">/openapi.json</a>.</p>
{sections}</body></html>
"""


def docs_page(document: dict[str, Any]) -> str:
    """Return an OpenAPI document's endpoints, grouped by tag."""
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            sections.setdefault(operation["tags"][0], []).append(_row(method, path, operation))
    tables = (f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>\n" for tag, rows in sections.items())
    return PAGE.format(title=escape(document["info"]["title"]), sections="".join(tables))


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    parameters = f"<br><small>{escape(', '.join(query))}</small>" if query else ""
    summary = escape(operation.get("summary", ""))
    return f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code>{parameters}</td><td>{summary}</td></tr>"
