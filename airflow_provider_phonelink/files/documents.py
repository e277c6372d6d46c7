"""Rows in YAML and JSON, with their line numbers; stricter than those formats themselves."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import UnusableSourceError
from airflow_provider_phonelink.api.text import clean, shown, trimmed
from airflow_provider_phonelink.files.columns import Problems, Rows, list_in, row_of

if TYPE_CHECKING:
    from airflow_provider_phonelink.files.columns import Columns

#: Deeper nesting than this is refused; no list of rows needs it.
_DEEPEST = 20
#: How many keys all merges together may copy: a short file can ask for any number of copies.
_MOST_MERGED = 1_000_000
#: More than any account has numbers and modes. An empty one takes a kilobyte, and three characters of a text.
_MOST_MAPPINGS = 200_000
#: What Python's own way to write a list consists of, where JSON has another: texts, words, a comma after the last item.
_ESCAPE = r"""\\(?:[\\'"nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})"""
_IN_PYTHON = re.compile(
    rf"""'[^'\\\n]*(?:{_ESCAPE}[^'\\\n]*)*'|"[^"\\\n]*(?:{_ESCAPE}[^"\\\n]*)*\""""
    r"""|(?<![\w.])[^\W\d]\w*|(?<=[\]}'"\w]),(?=\s*[\]}])"""
)
_WORDS = {"None": "null", "True": "true", "False": "false", "nan": "NaN", "inf": "Infinity", ",": ""}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_STANDARD_TAG = "tag:yaml.org,2002:"
#: The tags that change nothing, as all scalars are text. Others stand for values of another program.
_TAGS = (None, "!", *(f"{_STANDARD_TAG}{kind}" for kind in ("str", "seq", "map")))
#: The tokens of a valid JSON text.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def read_yaml(text: str, columns: Columns, *, argument: str, where: str) -> Rows:
    """
    Return the rows of a YAML document. All scalars are text: YAML would read +15550100001 as a number, and no as False.

    :raises ValueError: If it is not YAML, or has no list of rows.
    """
    import yaml

    builder = _Builder(merge_key="<<")
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            _take(builder, event)
    except yaml.YAMLError as error:
        raise ValueError(_yaml_problem(error, text)) from None
    return _rows(builder, columns, argument, where)


def read_json(text: str, columns: Columns, *, argument: str, where: str) -> Rows:
    """
    Return the rows of a JSON document.

    :raises ValueError: If it is not JSON, or has no list of rows.
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except ValueError:  # what Python says of it is how to raise its own limit
        raise ValueError("a number in it has thousands of digits") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    builder = _Builder(merge_key=None)
    line, position = 1, 0
    for token in _TOKEN.finditer(text):
        line, position = line + text.count("\n", position, token.start()), token.start()
        _take_token(builder, token[0], line)
    return _rows(builder, columns, argument, where)


def read_python(text: str, columns: Columns, *, argument: str, where: str) -> Rows:
    """
    Return the rows of a list as Python writes it, such as a template that renders an XCom.

    It is read by way of JSON: Python itself takes five hundred times the memory of such a text to read it.

    :raises UnusableSourceError: If it has an object in it that Python can only describe, such as ``UUID('...')``.
    :raises ValueError: If it is no such list.
    """
    return read_json(_IN_PYTHON.sub(_in_json, text), columns, argument=argument, where=where)


def _in_json(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] in "'\"":
        return json.dumps(literal_eval(token) if "\\" in token else token[1:-1])
    if token not in _WORDS:
        text, start, end = match.string, match.start(), match.end()
        before, after = text[max(start - 4, 0) : start], text[end : end + 1]
        if re.search(r"""['"]: <?$""", before) and (before.endswith("<") or after in ("(", "'", '"', ".")):
            raise UnusableSourceError(
                f"cannot be read: {shown(token)} begins the description of an object; make text of it first"
            )
        raise ValueError(f"{shown(token)} is no value of a row")
    return _WORDS[token]


@dataclass
class _List:
    anchor: str | None = None
    items: list[Any] = field(default_factory=list)

    def add(self, value: Any, _line: int, _problems: Problems) -> None:
        self.items.append(value)

    def closed(self) -> list[Any]:
        return self.items


@dataclass
class _Mapping:
    anchor: str | None = None
    merge_key: str | None = None
    items: dict[str, Any] = field(default_factory=dict)
    merged: list[Any] = field(default_factory=list)
    key: str | None = None

    def add(self, value: Any, line: int, problems: Problems) -> None:
        if self.key is None:
            self.key = trimmed(value) if isinstance(value, str) else _as_key(value, line, problems)
            if self.key in self.items or (self.key == self.merge_key and self.merged):
                problems.add(f"the key {shown(self.key)} is there twice in one mapping", f"line {line}")
            return
        if self.key == self.merge_key:
            self.merged.append(value)
        else:
            self.items[self.key] = value
        self.key = None

    def closed(self) -> dict[str, Any]:
        return self.items


class _Builder:
    """Builds plain data from the events of a parser, at any depth without recursion."""

    def __init__(self, merge_key: str | None) -> None:
        self.merge_key = merge_key
        self.documents: list[Any] = []
        self.problems = Problems()
        #: The lines in which mappings begin, by the mapping's id().
        self.lines: dict[int, int] = {}
        self._open: list[_List | _Mapping] = []
        self._anchors: dict[str, Any] = {}
        self._copied = 0

    @property
    def at_key(self) -> bool:
        """Whether the next value is a key."""
        return bool(self._open) and isinstance(self._open[-1], _Mapping) and self._open[-1].key is None

    def add(self, value: Any, line: int, anchor: str | None = None) -> None:
        if anchor:
            self._anchors[anchor] = value
        if self._open:
            self._open[-1].add(value, line, self.problems)
        else:
            self.documents.append(value)

    def open(self, opened: _List | _Mapping, line: int) -> None:
        if len(self._open) == _DEEPEST:
            raise ValueError(f"line {line}: it is nested too deeply")
        if isinstance(opened, _Mapping):
            if len(self.lines) == _MOST_MAPPINGS:
                raise ValueError(f"line {line}: it has more than {_MOST_MAPPINGS} mappings in it")
            self.lines[id(opened.items)] = line
        self._open.append(opened)

    def close(self, line: int) -> None:
        closed = self._open.pop()
        if isinstance(closed, _Mapping):
            for merged in closed.merged:
                self._merge(closed.items, merged, line)
        self.add(closed.closed(), line, closed.anchor)

    def alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            raise ValueError(f"line {line}: there is nothing that the alias {shown(name)} stands for")
        self.add(self._anchors[name], line)

    def _merge(self, into: dict[str, Any], merged: Any, line: int) -> None:
        """Merge a mapping or a list of them; keys that exist already take precedence."""
        for source in merged if isinstance(merged, list) else [merged]:
            if not isinstance(source, dict):
                raise ValueError(f"line {line}: only mappings can be merged by <<")  # noqa: TRY004 - the text is wrong
            self._copied += len(source)
            if self._copied > _MOST_MERGED:
                raise ValueError(f"line {line}: too much is merged by <<")
            for key, value in source.items():
                into.setdefault(key, value)


def _take(builder: _Builder, event: Any) -> None:
    """Process an event of the YAML parser."""
    import yaml

    line = event.start_mark.line + 1
    if getattr(event, "tag", None) not in _TAGS:
        tag = event.tag.replace(_STANDARD_TAG, "!!")
        builder.problems.add(f"the tag {shown(tag)} is not known; write the value itself", f"line {line}")
    if isinstance(event, yaml.ScalarEvent):
        is_null = event.implicit[0] and not event.style and event.value in _NULLS and not builder.at_key
        builder.add(None if is_null else event.value, line, event.anchor)
    elif isinstance(event, yaml.AliasEvent):
        builder.alias(event.anchor, line)
    elif isinstance(event, yaml.SequenceStartEvent):
        builder.open(_List(event.anchor), line)
    elif isinstance(event, yaml.MappingStartEvent):
        builder.open(_Mapping(event.anchor, builder.merge_key), line)
    elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
        builder.close(line)


def _take_token(builder: _Builder, piece: str, line: int) -> None:
    """Process a token of a valid JSON text."""
    if piece == "[":
        builder.open(_List(), line)
    elif piece == "{":
        builder.open(_Mapping(), line)
    elif piece in "]}":
        builder.close(line)
    elif piece not in ",:":
        builder.add(json.loads(piece), line)


def _as_key(value: object, line: int, problems: Problems) -> str:
    problems.add(f"a key is {'empty' if value is None else type(value).__name__}, not text", f"line {line}")
    return ""


def _rows(builder: _Builder, columns: Columns, argument: str, where: str) -> Rows:
    if len(builder.documents) > 1:
        raise ValueError("it has several documents in it, one after the other")
    found = builder.documents[0] if builder.documents else None
    if isinstance(found, dict):
        found = list_in(found, columns, builder.problems)
    if not isinstance(found, list):
        key = f"{columns.item}s"
        builder.problems.add(f"it has no list of {key} in it; write [] if none are meant")
        found = []
    rows = []
    for position, item in enumerate(found, 1):
        line = builder.lines.get(id(item)) if isinstance(item, dict) else None
        place = f"{columns.item} {position}" + (f" (line {line})" if line else "")
        row = row_of(item, columns, place, builder.problems)
        if row is not None:
            rows.append(row)
    return Rows(tuple(rows), columns, argument, where, builder.problems)


def _yaml_problem(error: Any, text: str) -> str:
    """Return what is wrong and where, without the surrounding text that the library quotes."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML"
    if mark:
        return clean(f"line {mark.line + 1}, column {mark.column + 1}: {problem}")
    if (position := getattr(error, "position", None)) is None:
        return clean(problem)
    before = text.encode("utf-8", "surrogatepass")[:position]
    return clean(f"line {before.count(10) + 1}: {problem}")
