"""
What the pages take from the code instead of repeating it, as directives.

``picture`` puts an SVG into the page, where it takes on the theme's colours. ``switches``, ``fault-kinds``,
``model-fields`` and ``commands`` are tables made of the code.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sphinx.application import Sphinx

PICTURES = Path(__file__).parent / "pictures"


class Picture(SphinxDirective):
    """``{picture} name``, with a caption as its content: ``pictures/name.svg``, inline."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        file = PICTURES / f"{self.arguments[0]}.svg"
        self.env.note_dependency(str(file))
        figure = nodes.container(classes=["picture"])
        figure += nodes.raw("", file.read_text(encoding="utf-8"), format="html")
        figure += self.parse_content_to_nodes()
        return [figure]


class Generated(SphinxDirective):
    """Markdown that is made of the code."""

    def run(self) -> list[nodes.Node]:
        """Return what the Markdown says."""
        return self.parse_text_to_nodes("\n".join(self.lines()))

    def lines(self) -> Iterable[str]:
        """Return the Markdown's lines."""
        raise NotImplementedError


class SwitchesTable(Generated):
    """The sandbox's switches."""

    def lines(self) -> Iterator[str]:
        """Return a row for each."""
        from dataclasses import fields

        from airflow_provider_phonelink.sandbox.switches import Switches

        told = Switches.describe()
        rows = []
        for f in fields(Switches):
            values = ", ".join(f"`{value}`" for value in f.metadata["values"] or (f.default,))
            any_number = "" if f.metadata["values"] else ", or any number"
            rows.append((f"`{f.name}`", told[f.name], values + any_number))
        yield from table(("switch", "decides", "values, the default first"), rows)


class FaultKindsTable(Generated):
    """The kinds of fault that the sandbox knows."""

    def lines(self) -> Iterator[str]:
        """Return a row for each."""
        from airflow_provider_phonelink.sandbox.fault_kinds import EXECUTORS
        from airflow_provider_phonelink.sandbox.faults import KINDS, PREVENTING

        rows = [
            (f"`{kind}`", first_line(EXECUTORS[kind]), "no" if kind in PREVENTING else "yes")
            for kind in KINDS
        ]
        yield from table(("kind", "what happens", "the request takes effect if struck `before`"), rows)


class ModelFields(Generated):
    """``{model-fields} vendor.Model``: the fields of what a vendor sends."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Return a row for each."""
        from importlib import import_module

        vendor, _, name = self.arguments[0].partition(".")
        fields = getattr(import_module(f"airflow_provider_phonelink.api.{vendor}.models"), name).model_fields
        rows = [
            (
                f"`{field}`",
                f"`{type_name(info.annotation)}`".replace("|", "\\|"),
                "always" if info.is_required() else "",
            )
            for field, info in fields.items()
        ]
        yield from table(("field", "type", "there"), rows)


class CommandsTable(Generated):
    """The commands of ``phonelink`` with their arguments."""

    def lines(self) -> Iterator[str]:
        """Return a section of the page for each."""
        from airflow_provider_phonelink.cli.definition import COMMANDS, Group

        for command in COMMANDS:
            if isinstance(command, Group):
                for member in command.commands:
                    yield from self._command(f"{command.name} {member.name}", member)
            else:
                yield from self._command(command.name, command)

    def _command(self, name: str, command: Any) -> Iterator[str]:
        yield from ("", f"**`phonelink {name}`**: {command.help}.", "")
        rows = [(flags(argument), *told(argument)) for argument in command.arguments]
        yield from table(("argument", "meaning", "default"), rows)


def type_name(annotation: Any) -> str:
    """Return a type as people write it, without what only says how the vendor's text is read."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return ""  # an empty text, which is read as nothing
    if origin in (Union, UnionType):
        names = dict.fromkeys(filter(None, map(type_name, arguments)))
        return " | ".join(sorted(names, key="None".__eq__))
    name = "None" if annotation is NoneType else (origin or annotation).__name__
    return f"{name}[{', '.join(map(type_name, arguments))}]" if arguments else name


def flags(argument: Any) -> str:
    """Return how an argument is written."""
    name = argument.words.get("metavar", "")
    if not argument.flags[0].startswith("-"):
        return f"`{name or argument.flags[0]}`"
    choices = "\\|".join(argument.words.get("choices", ()))
    return " ".join([", ".join(f"`{flag}`" for flag in argument.flags), name or choices])


def told(argument: Any) -> tuple[str, str]:
    """Return what an argument means, and its default."""
    default = argument.words.get("default")
    if argument.words.get("required") or not argument.flags[0].startswith("-"):
        usual = "(required)"
    else:
        usual = "" if default in (None, False) else f"`{default}`"
    return argument.words["help"].replace("%%", "%"), usual


def first_line(documented: Any) -> str:
    """Return the first line of a docstring."""
    return str(documented.__doc__).strip().splitlines()[0]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return a Markdown table."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directives known to Sphinx."""
    directives: dict[str, type[SphinxDirective]] = {
        "picture": Picture,
        "switches": SwitchesTable,
        "fault-kinds": FaultKindsTable,
        "model-fields": ModelFields,
        "commands": CommandsTable,
    }
    for name, directive in directives.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
