"""Run the benchmarks: `python -m benchmarks [--quick] [--only case]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import cases, report
from benchmarks.measure import ROOT, Bench, started

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Run what was asked for, show the table, and write the page if it was everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions: to see that it works")
    parser.add_argument(
        "--only", choices=cases.TITLES, action="append", help="only this case (may be repeated)"
    )
    parser.add_argument("--output", type=Path, help="where to write the page (docs/benchmarks.md)")
    options = parser.parse_args()
    outcomes = []
    with started() as server, tempfile.TemporaryDirectory(prefix="phonelink-bench-") as home:
        bench = Bench(server, Path(home), options.quick)
        for name in options.only or cases.TITLES:
            begun = time.monotonic()
            outcomes.append(cases.run(name, bench))
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    report.show(outcomes)
    # A part or a glance is no page to publish.
    if options.output or not (options.quick or options.only):
        report.write(outcomes, options.output or PAGE)


if __name__ == "__main__":
    main()
