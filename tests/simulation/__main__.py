"""Simulate: all histories up to two deviations, then random ones as long as told."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from simulation.exploring import all_histories, random_histories, shrunk
from simulation.histories import History, run
from simulation.operations import OPERATIONS
from simulation.promises import broken


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="how long; 0 for the exhaustive part only"
    )
    parser.add_argument("--deviations", type=int, default=2, help="how many of the exhaustive part")
    parser.add_argument("--seed", type=int, default=None, help="where the random part begins")
    parser.add_argument("--replay", help="a history as it was printed")
    parser.add_argument("operations", nargs="*", choices=[*OPERATIONS, []], help="only these")
    chosen = parser.parse_args()
    if chosen.replay:
        return _replay(History.parse(chosen.replay))
    failures: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    begin = time.monotonic()
    count = 0
    for operation in chosen.operations or OPERATIONS:
        before, since = count, time.monotonic()
        for account in all_histories(operation, chosen.deviations):
            count += 1
            _note(account.history, broken(account), failures, kinds)
        print(f"{operation}: {count - before} histories, {time.monotonic() - since:.1f} s", flush=True)
    seed = time.time_ns() % 1_000_000_000 if chosen.seed is None else chosen.seed
    print(f"random histories from seed {seed} on", flush=True)
    while time.monotonic() - begin < 60 * chosen.minutes:
        for account in random_histories(seed):
            count += 1
            if problems := broken(account):
                found = shrunk(account.history)
                print(f"found: {found}", flush=True)  # to be looked into while the others run
                _note(found, problems, failures, kinds)
                break
        seed += 1
    seconds = time.monotonic() - begin
    print(
        f"{count} histories in {seconds:.0f} s: {count / seconds:.0f} a second; {len(failures)} break a promise"
    )
    for kind, number in kinds.most_common():
        print(f"{number:6} {kind}")
    _show(failures)
    return bool(failures)


def _note(history: History, problems: list[str], failures: dict[str, str], kinds: Counter[str]) -> None:
    if problems:
        failures[str(history)] = "\n    ".join(problems)
        kinds.update({f"{history.operation}: {problem.partition(':')[0]}" for problem in problems})


def _show(failures: dict[str, str]) -> None:
    """Print the shortest history of each kind of failure."""
    seen: set[tuple[str, str]] = set()
    for history, problem in sorted(failures.items(), key=lambda item: item[0].count(";")):
        kind = history.partition(";")[0], problem.partition(":")[0]
        if kind not in seen:
            seen.add(kind)
            print(f"{history}\n    {problem}")


def _replay(history: History) -> int:
    account = run(history)
    for try_ in account.tries:
        print(
            f"try {try_.number}: {try_.outcome}, {len(try_.requests)} requests; {try_.error or try_.result}"
        )
        for uri, extra in try_.told.items():
            print(f"    told {uri}: {extra}")
    for happened in account.happened:
        print(f"    {happened}")
    problems = broken(account)
    print("\n".join(problems) or "every promise holds")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
