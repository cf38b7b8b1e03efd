"""Fetches the vendored browser libraries with `npm pack`, joins the bundle, records the hashes.

`python tools/vendor.py` refreshes `static/vendor` (needs npm); `--check` only compares what lies
there with `vendor.lock.json` and exits with 1 on a difference. Nobody needs npm to run the product.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parent.parent / "static"
VENDOR = STATIC / "vendor"
LOCK = VENDOR / "vendor.lock.json"
PACKAGES = {
    "htmx.org": (
        "4.0.1",
        "0BSD",
        {"dist/htmx.min.js": "htmx.min.js", "dist/ext/hx-preload.min.js": "hx-preload.min.js"},
    ),
    "graphql-ws": ("6.4.2", "MIT", {"umd/graphql-ws.min.js": "graphql-ws.min.js"}),
    "lightweight-charts": (
        "5.2.1",
        "Apache-2.0",
        {"dist/lightweight-charts.standalone.production.mjs": "lightweight-charts.mjs"},
    ),
    "graphiql": (
        "3.9.0",  # the last one that is a script of its own, without Monaco
        "MIT",
        {
            "graphiql.min.js": "graphiql/graphiql.min.js",
            "graphiql.min.css": "graphiql/graphiql.min.css",
        },
    ),
    "react": ("18.3.1", "MIT", {"umd/react.production.min.js": "graphiql/react.min.js"}),
    "react-dom": (
        "18.3.1",
        "MIT",
        {"umd/react-dom.production.min.js": "graphiql/react-dom.min.js"},
    ),
}
BUNDLE = ("vendor/htmx.min.js", "htmx-guard.js", "vendor/hx-preload.min.js")


def sha384(data: bytes) -> str:
    """The hash in the form of Subresource Integrity."""
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def fetch(name: str, version: str, folder: Path) -> bytes:
    """The package's archive, through npm."""
    command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return next(folder.glob(f"{name}-*.tgz")).read_bytes()


def extract(packed: io.BytesIO, member: str) -> bytes:
    """One file of an archive."""
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        reader = archive.extractfile(member)
        if reader is None:
            sys.exit(f"the archive has no {member}")
        return reader.read()


def refresh() -> None:
    """Writes every vendored file, without its reference to a source map, and the lock."""
    files: list[dict[str, Any]] = []
    for name, (version, licence, members) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            packed = io.BytesIO(fetch(name, version, Path(folder)))
        for member, target in members.items():
            lines = extract(packed, f"package/{member}").splitlines(keepends=True)
            data = b"".join(x for x in lines if not x.startswith(b"//# sourceMappingURL"))
            (VENDOR / target).parent.mkdir(exist_ok=True)
            (VENDOR / target).write_bytes(data)
            files.append(
                {
                    "file": target,
                    "package": name,
                    "version": version,
                    "licence": licence,
                    "integrity": sha384(data),
                }
            )
    LOCK.write_text(json.dumps(files, indent=2) + "\n", encoding="utf-8")


def bundle() -> bytes:
    """The htmx bundle: core, our guard, preload, in this order and in one file.

    As separate deferred scripts, htmx may start before its extensions are registered.
    """
    return b"\n;\n".join((STATIC / part).read_bytes().rstrip() for part in BUNDLE) + b"\n"


def check() -> list[str]:
    """What differs from the lock, in words."""
    problems = []
    for entry in json.loads(LOCK.read_text(encoding="utf-8")):
        path = VENDOR / entry["file"]
        if not path.exists():
            problems.append(f"{entry['file']} is missing")
        elif sha384(path.read_bytes()) != entry["integrity"]:
            problems.append(f"{entry['file']} is not the locked one")
    joined = STATIC / "htmx-bundle.js"
    if not joined.exists() or joined.read_bytes() != bundle():
        problems.append("htmx-bundle.js is not the joined parts: run `make vendor`")
    return problems


def main() -> None:
    """Refreshes, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; fetch nothing")
    parser.add_argument("--bundle", action="store_true", help="join the bundle only; fetch nothing")
    options = parser.parse_args()
    if not options.check:
        if not options.bundle:
            refresh()
        (STATIC / "htmx-bundle.js").write_bytes(bundle())
    if problems := check():
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
