"""The log that strangers read is made once, also where several processes run the tests; and the strangers' tools."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from strangers_log import Handed, changed, handed, make_handed, one_byte_of

HERE = Path(__file__).parent
GOPATH = Path("/usr/share/gocode")


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first process makes and the others wait for."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".done").exists():
            folder.mkdir()
            make(folder)
            (folder / ".done").touch()
    return folder


def _missing(reason: str) -> None:
    """Skips, and says what would be needed: `.ci/run` installs it where it may."""
    pytest.skip(reason)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    """The honest log; not to be changed."""
    return handed(_once(tmp_path_factory, "strangers-log", make_handed))


@pytest.fixture
def altered(original: Handed, tmp_path: Path) -> Callable[[int], Handed]:
    """Makes the log with one byte of one entry changed."""
    return lambda index: changed(original, tmp_path / f"altered-{index}", *one_byte_of(index))


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``go/main.go`` with Debian's package of the checksum database's library."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        _missing("needs Go and x/mod: apt-get install golang-go golang-golang-x-mod-dev")

    def build(folder: Path) -> None:
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "CGO_ENABLED": "0"}
        environment.setdefault("GOCACHE", str(folder / "cache"))
        command = [str(go), "build", "-o", str(folder / "verify"), str(HERE / "go" / "main.go")]
        subprocess.run(command, env=environment, check=True, timeout=300)

    return _once(tmp_path_factory, "strangers-go", build) / "verify"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sigstore's verifier, as ``package-lock.json`` pins it by hash."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _missing("needs node and npm: apt-get install nodejs npm")

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, folder)
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            _missing(f"npm could not install sigstore's verifier: {done.stderr.strip()[:300]}")

    return _once(tmp_path_factory, "strangers-node", install)
