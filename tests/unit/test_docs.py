"""The pages: whether they are all there, lead somewhere, and say what is so. Without Sphinx, which `make docs` runs."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import sys
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "airflow_provider_phonelink"
PAGES = sorted(page for page in DOCS.rglob("*.md"))

#: What DAGs import, by module.
PUBLIC = {
    "hooks.dasha": ["DashaHook"],
    "hooks.callingbox": ["CallingBoxHook"],
    "operators.dasha": [
        "DashaCreatePhoneNumberOperator",
        "DashaListPhoneNumbersOperator",
        "DashaLinkPhoneNumberOperator",
        "DashaUnlinkPhoneNumberOperator",
        "DashaRotatePhoneNumberOperator",
        "DashaReconcileLinksOperator",
        "DashaOnboardPhoneNumbersOperator",
        "DashaDeletePhoneNumberOperator",
        "DashaExportRoutesOperator",
    ],
    "operators.callingbox": [
        "CallingBoxAttachNumberOperator",
        "CallingBoxDetachNumberOperator",
        "CallingBoxRotatePrimaryNumberOperator",
        "CallingBoxReconcileLinksOperator",
        "CallingBoxListNumbersOperator",
        "CallingBoxListAgentsOperator",
        "CallingBoxSetPrimaryNumberOperator",
        "CallingBoxExportRoutesOperator",
    ],
    "sensors.dasha": ["DashaRegistrationSensor"],
    "triggers.dasha": ["DashaRegistrationTrigger", "DashaRegistrationEventTrigger"],
    "assets": ["number_asset", "agent_asset"],
    "exceptions": ["PhonelinkFailException", "PhonelinkRetryableException"],
    "sandbox": ["Sandbox", "Fault", "Step", "Switches"],
}


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def directives(page: Path, name: str) -> list[tuple[str, str]]:
    """Return the argument and the content of each directive of a name."""
    found = re.findall(rf"^```\{{{name}\}} ?([^\n]*)\n(.*?)^```", text_of(page), re.M | re.S)
    return [(argument.strip(), content) for argument, content in found]


# --- every page can be reached, and every link leads somewhere ------------------------------------------------------


def children(page: Path) -> list[Path]:
    return [
        page.parent / f"{line}.md"
        for _, content in directives(page, "toctree")
        for line in content.split("\n")
        if line and not line.startswith(":")
    ]


def test_each_page_is_in_one_toctree() -> None:
    listed = [child.resolve() for page in PAGES for child in children(page)]
    assert sorted(map(name_of, listed)) == sorted({*map(name_of, PAGES)} - {"index"})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#?([^)\s]*)\)", text_of(page)):
        led_to = (page.parent / target).resolve() if target else page
        assert led_to.exists(), target
        if anchor and led_to.suffix == ".md":
            assert anchor in {slug(heading) for heading in headings(led_to)}, f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_included_is_there(page: Path) -> None:
    for argument, _ in directives(page, "picture"):
        assert (DOCS / "pictures" / f"{argument}.svg").exists()
    for argument, _ in directives(page, "image") + directives(page, "figure") + directives(page, "include"):
        assert (page.parent / argument).exists(), argument
    for argument, content in directives(page, "literalinclude"):
        quoted = (page.parent / argument).read_text(encoding="utf-8")
        for option, marker in re.findall(r'^:((?:start|end)-\w+): "(.*)"$', content, re.M):
            assert quoted.count(marker) == 1, f"{argument}: {option} {marker}"


def headings(page: Path) -> list[str]:
    without_code = re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)
    return re.findall(r"^#+ (.*)$", without_code, re.M)


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- everything is documented ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", PUBLIC)
def test_each_public_name_is_documented(module: str) -> None:
    imported = import_module(f"airflow_provider_phonelink.{module}")
    reference = text_of(DOCS / "reference" / "index.md")
    described = "\n".join(content for page in PAGES for _, content in directives(page, "eval-rst"))
    for name in PUBLIC[module]:
        assert hasattr(imported, name)
        assert f"`{name}`" in reference
        assert re.search(rf"^\.\. auto\w+:: airflow_provider_phonelink\.\S*\b{name}\b", described, re.M), name


@pytest.mark.parametrize(
    "operator",
    [
        f"{module}.{name}"
        for module, names in PUBLIC.items()
        if module.startswith(("operators", "sensors", "triggers"))
        for name in names
    ],
)
def test_each_argument_of_an_operator_is_explicit_and_documented(operator: str) -> None:
    """One constructor takes each, and no other one of ours comes between it and Airflow's."""
    module, _, name = operator.rpartition(".")
    cls = getattr(import_module(f"airflow_provider_phonelink.{module}"), name)
    ours = [base for base in cls.__mro__ if base.__module__.startswith("airflow_provider_phonelink.")]
    assert len([base for base in ours if "__init__" in vars(base)]) == 1
    explicit = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}
    templated = {
        "dry_run" if field == "plan_only" else field for field in getattr(cls, "template_fields", ())
    }
    assert templated <= explicit
    assert set(re.findall(r":param (\w+):", str(cls.__doc__))) == explicit


@pytest.mark.parametrize("hook", ["dasha.DashaHook", "callingbox.CallingBoxHook"])
def test_each_method_of_a_hook_is_in_its_table(hook: str) -> None:
    module, _, name = hook.partition(".")
    cls = getattr(import_module(f"airflow_provider_phonelink.hooks.{module}"), name)
    table = text_of(DOCS / "reference" / "hooks.md").split(f"| `{name}` |")[1].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    public = {name for name, _ in inspect.getmembers(cls, inspect.isfunction) if name in vars(cls)}
    public = {name for name in public if not name.startswith("_")}
    twins = {name for name in public if name.startswith("a") and name[1:] in public}
    assert told == public - twins


def test_each_extra_is_on_the_page_about_connections() -> None:
    from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings

    extras = {*DashaSettings.model_fields, *CallingBoxSettings.model_fields}
    extras -= {"base_url", "api_key", "source"}
    page = text_of(DOCS / "connections.md")
    assert [extra for extra in sorted(extras) if f"`{extra}`" not in page] == []


def test_each_metric_is_documented() -> None:
    names = re.findall(r'"(phonelink\.[a-z_]+)"', (PACKAGE / "metrics.py").read_text(encoding="utf-8"))
    assert len(names) > 5
    told = re.findall(r"^\| `(phonelink\.[a-z_]+)", text_of(DOCS / "metrics.md"), re.M)
    assert sorted(told) == sorted(names)


def test_each_example_dag_is_on_a_page() -> None:
    pages = "\n".join(map(text_of, PAGES))
    examples = [path.name for path in (ROOT / "example_dags").glob("*.py")]
    assert [name for name in examples if f"example_dags/{name}" not in pages] == []


# --- what the pages say is so ---------------------------------------------------------------------------------------


@cache
def pictures() -> Any:
    spec = spec_from_file_location("draw", DOCS / "pictures" / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["draw"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["registration", "rotation", "architecture"])
def test_a_picture_shows_what_the_code_does(name: str) -> None:
    drawn = pictures().PICTURES[name]()
    assert (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8") == drawn, (
        "draw it anew: python docs/pictures/draw.py"
    )


def test_the_picture_of_a_rotation_is_of_one() -> None:
    nights = pictures().nights()
    used = [night.used for night in nights]
    assert len(used) == 14
    assert set(used) == set(pictures().POOL)
    assert not any(night.used in night.skipped | night.resting for night in nights)
    assert sum(bool(night.skipped) for night in nights) == 5
    [without_run] = [i for i, night in enumerate(nights) if not night.has_run]
    # Two nights with the same number: one had no run, and in one all other healthy numbers rested.
    same = [i for i, (one, other) in enumerate(pairwise(used), 1) if one == other]
    assert len(same) == 2
    assert without_run in same
    [kept] = set(same) - {without_run}
    assert set(pictures().POOL) == {used[kept], *nights[kept].skipped, *nights[kept].resting}


def python_blocks() -> list[tuple[str, str]]:
    return [
        (name_of(page), block)
        for page in PAGES
        for block in re.findall(r"^```python\n(.*?)^```", text_of(page), re.M | re.S)
    ]


@pytest.mark.parametrize(("page", "block"), python_blocks())
def test_code_on_a_page_is_code(page: str, block: str) -> None:
    ast.parse(block)


def commands() -> list[str]:
    blocks = [
        block for page in PAGES for block in re.findall(r"^```bash\n(.*?)^```", text_of(page), re.M | re.S)
    ]
    return sorted({line for line in "\n".join(blocks).splitlines() if line.startswith("phonelink ")})


@pytest.mark.parametrize("line", commands())
def test_a_command_on_a_page_is_understood(line: str) -> None:
    from airflow_provider_phonelink.cli.definition import parser

    words = shlex.split(line.partition(">")[0], comments=True)
    assert parser().parse_args(words[1:]).function


# --- messages -------------------------------------------------------------------------------------------------------

#: Stands for what differs from case to case.
GAP = "…"
#: Shorter templates fit anything.
LEAST = 8


@cache
def templates() -> list[str]:
    """Return every text in the package's source, with a gap for whatever is put into it."""
    found = []
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_part(part) for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                found.append(re.sub(r"%(?:\.\d)?[sdf]", GAP, node.value))
    return [template for template in found if len(template.replace(GAP, "")) >= LEAST]


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "agent_label":
        return f"agent {GAP}"
    return GAP


def is_said(fragment: str) -> bool:
    """Return whether some message of the package contains a fragment."""
    return any(fragment in template for template in templates()) or any(
        pattern.fullmatch(fragment) for pattern in patterns()
    )


@cache
def patterns() -> list[re.Pattern[str]]:
    """Return what each template with gaps may come out as, with a word or two in each gap."""
    return [
        re.compile(r"\S+(?: \S+)?".join(map(re.escape, template.split(GAP))))
        for template in templates()
        if GAP in template
    ]


def fragments() -> list[tuple[str, str]]:
    """Return what the pages quote of messages: the headings of troubleshooting, and the tables of errors."""
    found = [
        ("troubleshooting", heading.strip("` "))
        for heading in headings(DOCS / "troubleshooting.md")
        if heading.startswith("`")
    ]
    for page in PAGES:
        for table in text_of(page).split("| it says |")[1:]:
            for row in table.split("\n\n")[0].splitlines()[2:]:
                quoted = re.findall(r"`([^`]+)`", row.split(" | ")[0])
                found += [(name_of(page), words.replace("...", GAP)) for words in quoted]
    return found


@pytest.mark.parametrize(("page", "fragment"), fragments())
def test_a_quoted_message_is_one_that_the_package_has(page: str, fragment: str) -> None:
    assert is_said(fragment)


def test_a_message_that_nobody_says_is_found_out() -> None:
    assert not is_said("the number was eaten by a dog")
    assert not is_said(f"answers for {GAP}, so it was linked to agent")
    assert not is_said("handed over to agent X by a dog")
