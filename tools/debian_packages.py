"""
Install Debian's packages of programs that are missing: `debian_packages.py postgresql:initdb chromium:chromium`.

Debian starts a server as soon as it is installed, and at every boot from then on. Here it must not: the tests start
servers of their own, on ports of their own. Nothing runs afterwards that did not run before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from airflow_harness.programs import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Debian asks this program whether a service may be started; 101 means no.
POLICY = Path("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101  # while debian_packages.py installs\n"
# PostgreSQL's package makes a database of its own, unless it is told not to.
CLUSTER = Path("/etc/postgresql-common/createcluster.d/phonelink.conf"), "create_main_cluster = false\n"
APT_GET = ("apt-get", "--quiet", "--yes", "--option", "DPkg::Lock::Timeout=300")


def main(wanted: Iterable[str]) -> int:
    """Install what is missing; 1 when that is not possible."""
    programs = dict(package.split(":") for package in wanted)
    missing = [package for package, program in programs.items() if not find(program)]
    if not missing:
        return 0
    names = ", ".join(f"{programs[package]} (Debian's package {package})" for package in missing)
    if not shutil.which("apt-get"):
        return _refused(
            f"Missing: {names}. There is no apt-get here: install them, and have them on the PATH."
        )
    if os.geteuid() != 0:
        return _refused(f"Missing: {names}. As root: apt-get install {' '.join(missing)}")
    print(f"==> installing {names}", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    with _replaced(*POLICY), _replaced(*CLUSTER):
        _install(missing)
    for package in missing:
        if Path("/etc/init.d", package).exists():
            _run("update-rc.d", package, "disable")
    return 0 if all(find(programs[package]) for package in missing) else _refused(f"Still missing: {names}")


def _install(packages: list[str]) -> None:
    command = (*APT_GET, "--no-install-recommends", "install", *packages)
    if _run(*command, check=False):  # the lists of packages are missing, or older than the packages
        _run(*APT_GET, "update")
        _run(*command)


def _run(*command: str, check: bool = True) -> int:
    """
    Run a command silently, to its end even if this program is interrupted: half an installation is none.

    One that must not fail says what it printed.
    """
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(  # noqa: S603 - our own arguments
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            code = process.wait()
        if check and code:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed ({code}):\n{output.read()}")
        return code


@contextlib.contextmanager
def _replaced(file: Path, text: str) -> Iterator[None]:
    """Let a file say something else for a while. What a killed predecessor left is put right, too."""
    kept = file.with_name(f"{file.name}.kept")
    made = [folder for folder in (file.parent, file.parent.parent) if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_text() != text:
        file.rename(kept)
    try:
        file.write_text(text)
        file.chmod(0o755)
        yield
    finally:
        file.unlink()
        if kept.exists():
            kept.rename(file)
        for folder in made:
            with contextlib.suppress(OSError):  # a package has put files there
                folder.rmdir()


def _refused(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _interrupted(*_: object) -> NoReturn:
    sys.exit("interrupted")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
