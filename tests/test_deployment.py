"""The container files, read without Docker: versions, secrets, ports, rights, health."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
OURS = ("migrate", "prepare", "web", "worker-quick", "worker-long", "feed")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_every_service_of_the_shape_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "valkey", *OURS}


def test_images_have_exact_versions(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name


def test_base_images_of_the_dockerfile_have_exact_versions() -> None:
    images = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in images)


def test_the_hosted_machine_runs_what_everybody_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci/run", os.X_OK)
    wanted = ("chromium", "export SISE_REQUIRE_BROWSER=1\n", "\nmake check\n", "\nmake test\n")
    places = [script.find(word) for word in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_ports_are_bound_to_this_machine(compose: dict[str, Any]) -> None:
    ports = [p for s in compose["services"].values() for p in s.get("ports", [])]
    assert ports
    assert all(p.startswith("127.0.0.1:") for p in ports)


def test_the_servers_cannot_be_reached_from_outside(compose: dict[str, Any]) -> None:
    assert compose["networks"]["data"]["internal"] is True
    for name in ("postgres", "valkey"):
        assert compose["services"][name]["networks"] == ["data"]


def test_our_services_have_no_rights_to_spare(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["pids_limit"], name
        assert service["mem_limit"], name
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001", text, re.MULTILINE)


def test_no_docker_socket_and_no_default_secret(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "docker.sock" not in text
    for name in compose["secrets"].values():
        assert name["file"].startswith("secrets/")
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_only_the_migration_knows_the_owner(compose: dict[str, Any]) -> None:
    for name in OURS:
        owner = "secrets/migrate.env" in compose["services"][name]["env_file"]
        assert owner is (name == "migrate"), name


def test_what_serves_has_a_health_check(compose: dict[str, Any]) -> None:
    for name in ("postgres", "valkey", "web"):
        assert compose["services"][name]["healthcheck"]["test"], name


def test_every_command_is_one_of_ours(compose: dict[str, Any]) -> None:
    from app.cli import COMMANDS  # noqa: PLC0415  # the command line is imported for its table only

    for name in OURS:
        assert compose["services"][name]["command"][0] in COMMANDS, name


def test_secrets_are_random_private_and_kept(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    script = tmp_path / "docker" / "make-secrets"
    script.write_bytes((ROOT / "docker" / "make-secrets").read_bytes())
    script.chmod(0o755)
    subprocess.run([str(script)], check=True)
    first = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    subprocess.run([str(script)], check=True)
    again = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    assert first == again
    passwords = [v for k, v in first.items() if k.endswith("_password")]
    assert len(set(passwords)) == 4
    assert all(len(p) == 64 for p in passwords)
    assert (tmp_path / "secrets" / "sise.env").stat().st_mode & 0o077 == 0


def test_the_compiled_kernels_are_kept_where_the_container_may_write(
    compose: dict[str, Any],
) -> None:
    """numba uses only a cache that it may write: a volume that begins as the image's."""
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("NUMBA_CACHE_DIR=/opt/sise/numba-cache") == 2
    assert "chown -R 10001:10001 /opt/sise/numba-cache" in text
    assert "numba" in compose["volumes"]
    for name in ("prepare", "worker-quick", "worker-long"):
        assert "numba:/opt/sise/numba-cache" in compose["services"][name]["volumes"], name


def test_without_a_cache_the_kernels_are_compiled_anew() -> None:
    """As in a read-only container: nothing beside the sources and no cache folder to write to."""
    program = (
        "from numba.core import caching; caching.CacheImpl._locator_classes = [];"
        "from app.domain.kernels.compiled import compiled;"
        "print(compiled(lambda x: x + 1)(41))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "42", done.stderr


def test_pages_can_be_read_through_the_bound_port(compose: dict[str, Any]) -> None:
    """Callers come from the bridge's address there, which is not loopback."""
    assert compose["services"]["web"]["environment"]["SISE_PUBLIC_MARKET"] == "true"
