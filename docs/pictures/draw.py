"""
Draw the pictures of the documentation from what the code does: `python docs/pictures/draw.py`.

Each picture is a function that returns an SVG. It takes the page's colours where it stands in one, and a light or a
dark set of its own where it stands alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_phonelink.api.dasha.models import PhoneNumber
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.decisions.registration import RegistrationRules, Verdict, judge
from airflow_provider_phonelink.decisions.rotation import Asked, Pool, RotationRules, choose, resting_numbers
from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run
from airflow_provider_phonelink.vendors import VENDORS, keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.parents[1] / "airflow_provider_phonelink"

STYLE = """
.pl { --pl-ink: #24292f; --pl-soft: #6b7280; --pl-line: #9aa4b2; --pl-good: #1a7f4e; --pl-bad: #c2413b;
  --pl-wait: #9a6700; font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) { .pl { --pl-ink: #e6e8eb; --pl-soft: #9aa4b2; --pl-line: #6b7280;
  --pl-good: #4cc38a; --pl-bad: #ff7b72; --pl-wait: #e3b341; } }
body[data-theme="light"] .pl { --pl-ink: #24292f; --pl-soft: #6b7280; --pl-line: #9aa4b2; --pl-good: #1a7f4e;
  --pl-bad: #c2413b; --pl-wait: #9a6700; }
body[data-theme="dark"] .pl { --pl-ink: #e6e8eb; --pl-soft: #9aa4b2; --pl-line: #6b7280; --pl-good: #4cc38a;
  --pl-bad: #ff7b72; --pl-wait: #e3b341; }
.pl text { fill: var(--pl-ink); } .pl .soft { fill: var(--pl-soft); font-size: 12.5px; }
.pl .head { font-weight: 600; } .pl .middle { text-anchor: middle; } .pl .right { text-anchor: end; }
.pl .code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 12.5px; }
.pl .box { fill: none; stroke: var(--pl-line); stroke-width: 1.4; }
.pl .good { stroke: var(--pl-good); } .pl .bad { stroke: var(--pl-bad); } .pl .wait { stroke: var(--pl-wait); }
.pl .arrow { fill: none; stroke: var(--pl-line); stroke-width: 1.4; marker-end: url(#pl-tip); }
.pl .way { fill: none; stroke: var(--pl-good); stroke-width: 1.6; opacity: .45; }
.pl .tip { fill: var(--pl-line); } .pl .used { fill: var(--pl-good); } .pl .free { fill: var(--pl-line); opacity: .35; }
.pl .rests { fill: none; stroke: var(--pl-line); stroke-width: 1.2; stroke-dasharray: 2 1.5; }
.pl .sick { fill: none; stroke: var(--pl-bad); stroke-width: 1.6; }
"""
TIP = (
    '<defs><marker id="pl-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
)


def svg(width: int, height: int, title: str, description: str, body: Iterable[str]) -> str:
    """Return a whole picture."""
    return "\n".join(
        [
            f'<svg class="pl" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(description)}</desc>",
            f"<style>{STYLE}</style>",
            TIP,
            *body,
            "</svg>",
            "",
        ]
    )


def text(x: float, y: float, content: str, classes: str = "") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{classes}">{escape(content)}</text>'


def arrow(*points: tuple[float, float]) -> str:
    """Return an arrow through some points."""
    way = " ".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path class="arrow" d="M{way}"/>'


@dataclass(frozen=True)
class Box:
    """A box with a heading and some lines."""

    x: float
    y: float
    width: float
    height: float
    head: str
    lines: tuple[str, ...] = ()
    classes: str = ""

    def draw(self) -> list[str]:
        """Return its parts."""
        middle = self.x + self.width / 2
        first = self.y + self.height / 2 - 9 * len(self.lines) + 5
        return [
            f'<rect class="box {self.classes}" x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" '
            f'height="{self.height:g}" rx="8"/>',
            text(middle, first, self.head, "head middle"),
            *(text(middle, first + 18 * (i + 1), line, "soft middle") for i, line in enumerate(self.lines)),
        ]


# --- what a registration state means --------------------------------------------------------------------------------


def _number(state: str, **fields: object) -> PhoneNumber:
    return PhoneNumber.model_validate(
        {
            "id": "n",
            "phone_number": "+1",
            "credentials_id": "c",
            "registration_status": {"state": state},
            **fields,
        }
    )


def verdicts() -> dict[Verdict, list[str]]:
    """Ask the decision what it makes of every state that the settings name, and of the others."""
    settings = {name: field.default for name, field in DashaSettings.model_fields.items()}
    rules = RegistrationRules(settings["active_states"], settings["failed_states"], settings["check_expiry"])
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    expired = {"state": rules.active_states[0], "expires_at": now - timedelta(seconds=61)}
    cases: dict[str, PhoneNumber | None] = {
        **{
            state: _number(state, registration=True) for state in (*rules.active_states, *rules.failed_states)
        },
        "Disabled, and registration is off": _number("Disabled", registration=False),
        "there is no such number": None,
        "any other state": _number("Registering", registration=True),
        "active, but expired": _number("", registration=True, registration_status=expired),
    }
    # A number that may not be read is refused, whatever its state is.
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict if verdict is not Verdict.REFUSED}
    for case, number in cases.items():
        found[judge("n", number, rules, now).verdict].append(case)
    return found


def registration() -> str:
    """Draw what each state of a registration means to somebody who waits."""
    states = verdicts()
    if not all(states.values()):
        raise ValueError(f"a verdict that nothing leads to: {states}")
    ends = {verdict for verdict in states if verdict.ends_the_wait}
    if ends != {Verdict.FAILED, Verdict.NEVER, Verdict.GONE}:
        raise ValueError("the picture shows other verdicts as ends")
    waiting = Box(10, 100, 190, 92, "waiting", tuple(states[Verdict.WAITING]), "wait")
    active = Box(500, 20, 250, 74, "active", (" or ".join(states[Verdict.ACTIVE]),), "good")
    failed = Box(500, 116, 250, 60, "failed", (", ".join(states[Verdict.FAILED]),), "bad")
    never = Box(500, 198, 250, 60, "never", tuple(states[Verdict.NEVER]), "bad")
    gone = Box(500, 280, 250, 60, "gone", tuple(states[Verdict.GONE]), "bad")
    body = [part for box in (waiting, active, failed, never, gone) for part in box.draw()]
    body += [
        arrow((200, 122), (270, 122), (330, 45), (498, 45)),
        arrow((498, 74), (348, 74), (290, 148), (202, 148)),
        text(414, 36, "the SIP provider agrees", "soft middle"),
        text(414, 93, "it expires", "soft middle"),
        arrow((200, 172), (380, 172), (420, 146), (498, 146)),
        arrow((200, 172), (380, 172), (420, 228), (498, 228)),
        arrow((200, 172), (380, 172), (420, 310), (498, 310)),
        text(105, 218, "look again after the", "soft middle"),
        text(105, 236, "poke interval; at the", "soft middle"),
        text(105, 254, "timeout: fail, and name it", "soft middle"),
        text(768, 52, "all are: succeed", "soft"),
        text(768, 151, "fail at once,", "soft"),
        text(768, 169, "and say why", "soft"),
        text(768, 233, "likewise", "soft"),
        text(768, 315, "likewise", "soft"),
    ]
    return svg(
        880,
        360,
        "What a registration state means",
        "A number is waiting until its registration is active. Failed, never and gone end the wait at once.",
        body,
    )


# --- a rotation, night by night -------------------------------------------------------------------------------------

POOL = ("+15550100001", "+15550100002", "+15550100003", "+15550100004")
FAILING, FROM, UNTIL = POOL[2], 4, 9  # a registration that is gone for some nights
FIRST_NIGHT = datetime(2026, 3, 1, 3, tzinfo=timezone.utc)
NIGHTS, WITHOUT_RUN = 14, 11
RULES = RotationRules(cool_down=timedelta(days=3))


class Night(NamedTuple):
    """One night: the number in use, and those that a run could not have used."""

    date: datetime
    used: str
    has_run: bool
    skipped: frozenset[str]
    resting: frozenset[str]


def nights() -> list[Night]:
    """Let the rotation choose for a fortnight."""
    found: list[Night] = []
    memory = Memory()
    for night in range(NIGHTS):
        date = FIRST_NIGHT + timedelta(days=night)
        pool = Pool(POOL, {FAILING: "Failed"} if FROM <= night < UNTIL else {})
        resting = resting_numbers(pool, memory, date, memory.current, RULES.cool_down)
        if night != WITHOUT_RUN:
            run = Run("campaign", "rotate", f"{date:%d}", date)
            chosen = str(choose(pool, memory, Asked("agent", date, run), RULES, memory.current).number_id)
            if chosen != memory.current:
                memory = memory.choosing(chosen, run, date).done_by(run)
        used = str(memory.current)
        found.append(
            Night(date, used, night != WITHOUT_RUN, frozenset(pool.skipped), frozenset(resting) - {used})
        )
    return found


def rotation() -> str:
    """Draw which number an agent calls out with, night by night."""
    left, top, step, row = 130, 54, 51, 42
    runs = nights()
    place = {number: top + 14 + i * row for i, number in enumerate(POOL)}
    spots = [(left + 24 + i * step, place[night.used]) for i, night in enumerate(runs)]
    body = [text(20, place[number] + 4, number, "code") for number in POOL]
    body.append(text(20, 26, "night of", "soft"))
    body.append(f'<path class="way" d="M{" ".join(f"{x:g} {y:g}" for x, y in spots)}"/>')
    for i, night in enumerate(runs):
        x = left + 24 + i * step
        body.append(text(x, 26, f"{night.date.day} {night.date:%b}", "soft middle"))
        if not night.has_run:
            body.append(text(x, 42, "no run", "soft middle"))
        body += [_spot(x, place[number], number, night) for number in POOL]
    legend = top + len(POOL) * row + 16
    body += [
        f'<circle class="used" cx="{left + 24}" cy="{legend - 4}" r="8"/>',
        text(left + 40, legend, "the agent's caller ID", "soft"),
        f'<circle class="free" cx="{left + 194}" cy="{legend - 4}" r="4"/>',
        text(left + 206, legend, "could be used", "soft"),
        f'<circle class="rests" cx="{left + 324}" cy="{legend - 4}" r="4"/>',
        text(left + 336, legend, "rests (cool_down)", "soft"),
        _cross(left + 474, legend - 4),
        text(left + 488, legend, "registration failed: skipped", "soft"),
    ]
    return svg(
        left + NIGHTS * step + 16,
        legend + 20,
        "A rotation through four numbers in fourteen nights",
        "; ".join(f"{night.date:%d %b}: {night.used}" for night in runs),
        body,
    )


def _spot(x: float, y: float, number: str, night: Night) -> str:
    if number == night.used:
        return f'<circle class="used" cx="{x:g}" cy="{y:g}" r="8"/>'
    if number in night.skipped:
        return _cross(x, y)
    return f'<circle class="{"rests" if number in night.resting else "free"}" cx="{x:g}" cy="{y:g}" r="4"/>'


def _cross(x: float, y: float) -> str:
    return f'<path class="sick" d="M{x - 5:g} {y - 5:g}l10 10m0-10l-10 10"/>'


# --- what imports what ----------------------------------------------------------------------------------------------

#: The parts of the package, and the box of the picture that each belongs to.
BOXES: Mapping[str, str] = {
    "operators": "tasks",
    "sensors": "tasks",
    "triggers": "tasks",
    "cli": "tasks",
    "fleet": "tasks",
    "assets": "tasks",
    "hooks": "hooks",
    "exceptions": "hooks",
    "compat": "hooks",
    "get_provider_info": "hooks",
    "metrics": "hooks",
    "promises": "promises",
    "doctor": "promises",
    "decisions": "decisions",
    "files": "files",
    "api": "api",
    "vendors": "vendors",
    "sandbox": "sandbox",
}
#: What the picture shows: an arrow for each import that no other arrows lead to already.
ARROWS = {
    ("tasks", "hooks"),
    ("hooks", "promises"),
    ("promises", "decisions"),
    ("decisions", "files"),
    ("files", "api"),
    ("api", "vendors"),
    ("sandbox", "api"),
}


def imports() -> set[tuple[str, str]]:
    """Read from the source which box imports which, without what other boxes lead to anyway."""
    edges: set[tuple[str, str]] = set()
    for file in PACKAGE.rglob("*.py"):
        part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        for imported in _imported(ast.parse(file.read_text(encoding="utf-8"))):
            if imported in BOXES:
                edges.add((BOXES[part], BOXES[imported]))
    edges = {(one, other) for one, other in edges if one != other}
    return {edge for edge in edges if not _leads(edges - {edge}, *edge)}


def _imported(tree: ast.AST) -> set[str]:
    """Return the parts of the package that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name.split(".")[1] for name in names)
    return found


def _leads(edges: set[tuple[str, str]], start: str, end: str) -> bool:
    following = {other for one, other in edges if one == start}
    return end in following or any(_leads(edges, other, end) for other in following)


def _folders(part: str) -> str:
    """Return the vendors that have a folder or a file of their own in a part of the package."""
    return ", ".join(
        key for key in keys() if any((PACKAGE / part / name).exists() for name in (key, f"{key}.py"))
    )


def architecture() -> str:
    """Draw the layers, and refuse if the source has others."""
    if (found := imports()) != ARROWS:
        raise ValueError(f"the picture shows other imports than there are: {sorted(found ^ ARROWS)}")
    boxes = [
        Box(60, 20, 660, 74, ""),
        *(
            Box(76 + 127 * i, 32, 119, 50, part, (_folders(part) or "the page in Airflow",))
            for i, part in enumerate(("operators", "sensors", "triggers", "cli", "fleet"))
        ),
        Box(60, 130, 300, 70, "hooks", ("an Airflow connection becomes a client", _folders("hooks"))),
        Box(
            420, 130, 300, 70, "promises", ("look, write, prove: the state afterwards", _folders("promises"))
        ),
        Box(420, 236, 300, 60, "decisions", ("pure functions over what was read",)),
        Box(420, 332, 300, 60, "files", ("tables of people and spreadsheets",)),
        Box(
            60,
            428,
            460,
            70,
            "api",
            ("each endpoint described once; sent with and without asyncio", _folders("api")),
        ),
        Box(580, 428, 140, 70, "vendors", ("the one list",)),
        Box(60, 552, 300, 56, ", ".join(vendor.name for vendor in VENDORS), classes="good"),
        Box(420, 552, 300, 56, "sandbox", (f"stands in for {_folders('sandbox')}",), "wait"),
    ]
    body = [part for box in boxes for part in box.draw()]
    body += [
        arrow((210, 94), (210, 128)),
        arrow((360, 165), (418, 165)),
        arrow((570, 200), (570, 234)),
        arrow((570, 296), (570, 330)),
        arrow((470, 392), (470, 426)),
        arrow((520, 463), (578, 463)),
        arrow((210, 498), (210, 550)),
        arrow((450, 498), (450, 550)),
        arrow((490, 550), (490, 500)),
        text(226, 528, "https", "soft"),
        text(440, 528, "http, loopback", "soft right"),
        text(500, 528, "paths", "soft"),
    ]
    return svg(
        780,
        626,
        "What imports what",
        "Operators, sensors, triggers, the command line and the page import hooks and promises; hooks import promises, "
        "these import decisions, and these what reads files; all of them import the api, which alone speaks HTTP; the "
        "sandbox imports its paths only. A vendor has a folder or a file of its own in a layer, and the list of "
        "vendors says where.",
        body,
    )


PICTURES = {"registration": registration, "rotation": rotation, "architecture": architecture}


def main(names: Sequence[str] = tuple(PICTURES)) -> None:
    """Write the pictures."""
    for name in names:
        (FOLDER / f"{name}.svg").write_text(PICTURES[name](), encoding="utf-8")


if __name__ == "__main__":
    main()
