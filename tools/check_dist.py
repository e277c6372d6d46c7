"""
Check the wheel and the sdist of a folder, and that the wheel, installed where this runs, works without the checkout.

Run by `make dist`, with the Python of an environment into which that wheel was installed.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution, version
from pathlib import Path
from tempfile import TemporaryDirectory

from integration.documents import ROOT, Document, run_with_airflow
from packaging.metadata import Metadata

NAME = "airflow-provider-phonelink"
PACKAGE = "airflow_provider_phonelink"
README = Document("README.md")
#: What Airflow, pytest and the shell find us by.
ENTRY_POINTS = {
    ("apache_airflow_provider", "provider_info"),
    ("console_scripts", "phonelink"),
    ("pytest11", "phonelink_sandbox"),
}
#: What the sdist has beside the package.
IN_SDIST = ("docs", "example_dags", "tests")
FILES_IN_SDIST = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
WHERE = f"import {PACKAGE} as package; print(package.__file__, package.__version__)"


def main(folder: Path) -> None:
    """Raise an AssertionError that says what is wrong, or return."""
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    check_wheel(wheel)
    check_sdist(sdist)
    check_installed()
    with TemporaryDirectory(prefix="phonelink-dist-") as project:
        run_the_readme(Path(project))
    print(f"{wheel.name} ({wheel.stat().st_size // 1024} KiB) and {sdist.name} are complete.")
    print("The README's DAG and its test with the fixture ran from the installed wheel.")


def check_wheel(wheel: Path) -> None:
    """Check that the wheel has every file of the package, and no other."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        check_metadata(archive.read(metadata))
    info = metadata.partition("/")[0]
    extra = {
        f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    differ("the wheel", names, sources(PACKAGE) | extra)


def check_sdist(sdist: Path) -> None:
    """Check that the sdist has the package, its documentation and tests, and nothing else."""
    with tarfile.open(sdist) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        inner = {member.name.partition("/")[2]: member for member in members}
        metadata = archive.extractfile(inner["PKG-INFO"])
        assert metadata is not None
        check_metadata(metadata.read())
    # The build backend adds what git is told to ignore.
    expected = sources(PACKAGE, *IN_SDIST) | FILES_IN_SDIST
    differ("the sdist", set(inner) - {".gitignore"}, expected)


def sources(*folders: str) -> set[str]:
    """Return the files of the checkout that belong into an archive."""
    return {
        file.relative_to(ROOT).as_posix()
        for folder in folders
        for file in (ROOT / folder).rglob("*")
        if file.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in file.parts[len(ROOT.parts) :])
    }


def differ(archive: str, found: set[str], expected: set[str]) -> None:
    """Complain of files that are missing in an archive, or too many."""
    missing, foreign = sorted(expected - found), sorted(found - expected)
    assert not missing, f"{archive} lacks {missing}"
    assert not foreign, f"{archive} contains {foreign}"


def check_metadata(raw: bytes) -> None:
    """Check that what package indexes read is valid, and what we say of ourselves is in it."""
    metadata = Metadata.from_email(raw, validate=True)
    assert metadata.name == NAME
    assert str(metadata.version) == version(NAME)
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert metadata.description_content_type == "text/markdown"
    assert (metadata.description or "").strip() == README.text.strip()
    assert metadata.provides_extra == ["sandbox"]
    assert {requirement.name for requirement in metadata.requires_dist or ()} >= {"apache-airflow", "httpx"}
    classifiers = message_from_bytes(raw).get_all("Classifier") or []
    assert "Framework :: Apache Airflow :: Provider" in classifiers


def check_installed() -> None:
    """Check that the installed package is that of the wheel, and that Airflow, pytest and the shell find it."""
    found = {(entry.group, entry.name): entry for entry in distribution(NAME).entry_points}
    assert found.keys() >= ENTRY_POINTS, found
    for name in ENTRY_POINTS:
        assert found[name].load()
    package = sys.modules[PACKAGE].__file__
    assert package is not None
    assert Path(package).is_relative_to(sys.prefix), f"{package} is not in {sys.prefix}"
    assert not any(path and Path(path).samefile(ROOT) for path in sys.path if Path(path or ".").exists())


def run_the_readme(project: Path) -> None:
    """Run the README's DAG and the test of it, which uses the fixture, as pasted."""
    (project / "dags").mkdir()
    (project / "dags" / "support_line.py").write_text(README.block("python", "def support_line"))
    (project / "test_support_line.py").write_text(README.block("python", "phonelink_sandbox"))
    where = run_with_airflow(f"python -c '{WHERE}'", project)
    assert sys.prefix in where, where
    assert version(NAME) in where, where
    listed = run_with_airflow("airflow providers list -o plain 2>/dev/null", project)
    assert NAME in listed, listed
    run_with_airflow("phonelink --help", project)
    run_with_airflow("airflow db migrate && airflow dags reserialize", project)
    printed = run_with_airflow("python -m pytest -q -p no:cacheprovider test_support_line.py", project)
    assert "1 passed" in printed, printed


if __name__ == "__main__":
    main(Path(sys.argv[1]))
