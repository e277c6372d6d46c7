"""A PostgreSQL and a Redis of one's own, on free loopback ports: there for a `with`, and gone after it."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_harness.waiting import EVENTUALLY, STOPPED_AFTER

from .processes import free_port
from .programs import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
USER = "airflow"


@dataclass(frozen=True)
class PostgreSQL:
    """A running server."""

    port: int
    password: str = field(repr=False)

    def url(self, database: str, scheme: str = "postgresql") -> str:
        return f"{scheme}://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def sqlalchemy_url(self, database: str) -> str:
        return self.url(database, "postgresql+psycopg2")

    def create_database(self, name: str, template: str = "template1") -> None:
        """Make a database: an empty one, or a copy of one that nobody is connected to."""
        import psycopg2
        from psycopg2.sql import SQL, Identifier

        with contextlib.closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(
                    SQL("create database {} template {}").format(Identifier(name), Identifier(template))
                )

    def answers(self) -> bool:
        """Whether it takes connections."""
        import psycopg2

        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url("postgres")).close()
            return True
        return False


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a server without durability, with the one database ``postgres``, which is empty."""
    with _folder() as folder:
        data, server = folder / "data", PostgreSQL(free_port(), secrets.token_hex(16))
        _write(folder / "password", server.password)
        _initialise(data, folder / "password")
        settings = {
            "listen_addresses": HOST,
            "port": server.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "off",
        }
        command = [path_of("postgres"), "-D", str(data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

        # SIGINT ends it with its clients' sessions; at SIGTERM it would wait for them.
        with _running(command, folder, server.answers, stop=signal.SIGINT):
            yield server


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps nothing on the disk, and give its URL."""
    import redis as client

    with _folder() as folder:
        port, password = free_port(), secrets.token_hex(16)
        config = [f"bind {HOST}", f"port {port}", f"requirepass {password}", f"dir {folder}", 'save ""']
        _write(folder / "redis.conf", "\n".join(config))
        url = f"redis://:{password}@{HOST}:{port}/0"

        def answers() -> bool:
            with contextlib.suppress(client.ConnectionError), client.Redis.from_url(url) as connection:
                return bool(connection.ping())
            return False

        with _running([path_of("redis-server"), str(folder / "redis.conf")], folder, answers):
            yield url


def _initialise(data: Path, password: Path) -> None:
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={USER}"]
    done = subprocess.run(
        [path_of("initdb"), "-D", str(data), f"--pwfile={password}", *options],
        **_process(data.parent),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}\n{done.stderr}")


@contextlib.contextmanager
def _running(
    command: list[str], folder: Path, answers: Callable[[], bool], stop: int = signal.SIGTERM
) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, **_process(folder), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + EVENTUALLY
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{Path(command[0]).name} does not work:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(timeout=STOPPED_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that the servers' user may enter, unlike those of pytest, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="phonelink-server-"))
    try:
        if user := _other_user():
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(file: Path, text: str) -> None:
    """Write a file that only the servers' user may read."""
    file.touch(mode=0o600)
    file.write_text(text)
    if user := _other_user():
        os.chown(file, user.pw_uid, user.pw_gid)


def _process(folder: Path) -> dict[str, Any]:
    user = _other_user()
    return {
        "cwd": folder,
        "stdin": subprocess.DEVNULL,
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"},
        **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}),
    }


def _other_user() -> pwd.struct_passwd | None:
    """Whom servers run as: never root. PostgreSQL refuses to, and nobody else should."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None
