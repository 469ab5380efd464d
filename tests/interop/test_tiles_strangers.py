"""One log of 70,000 events, read by programs that share no code with ours; each of them must refuse one changed byte."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pymerkle import InmemoryTree
from strangers_log import OLD, PROVED, SIZE, VICTIM, Handed

VERIFIER = Path(__file__).parents[2] / "docs" / "verifier" / "verify.py"
NODE = Path(__file__).parent / "node" / "verify.js"

Run = subprocess.CompletedProcess[str]


def ran(command: list[str | Path], cwd: Path | None = None) -> Run:
    return subprocess.run(
        list(map(str, command)), cwd=cwd or "/", capture_output=True, text=True, timeout=120, check=False
    )


def ours(given: Handed, *more: str | Path) -> Run:
    """The stand-alone verifier, where none of our packages can be imported."""
    return ran([sys.executable, "-I", VERIFIER, given.tiles, "--vkey", given.vkey, "--checkpoint", given.old, *more])


def go(program: Path, given: Handed) -> Run:
    return ran([program, given.tiles, given.vkey, given.old, given.receipts])


def node(folder: Path, given: Handed) -> Run:
    return ran(["node", NODE, given.tiles, given.vkey, given.receipts], cwd=folder)


def merkle_root(given: Handed) -> str:
    """Root by pymerkle over the entries, read from the bundles by these lines alone."""
    entries = []
    for number in range(-(-SIZE // 256)):
        count = min(256, SIZE - number * 256)
        path = given.tiles / "tile" / "entries" / f"{number:03d}"
        data = (path if count == 256 else path.with_name(f"{path.name}.p") / str(count)).read_bytes()
        place = 0
        while place < len(data):
            end = place + 2 + int.from_bytes(data[place : place + 2], "big")
            entries.append(data[place + 2 : end])
            place = end
    assert len(entries) == SIZE
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(entries)
    return str(tree.get_root().hex())


def test_the_stand_alone_verifier_finds_it_whole(original: Handed) -> None:
    receipts: list[str | Path] = []
    for path in sorted(original.receipts.glob("*.tlog-proof")):
        receipts += ["--receipt", path, "--event", path.with_suffix(".json")]
    done = ours(original, *receipts)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert original.root in done.stdout
    assert "没有被改动" in done.stdout
    assert done.stdout.count("有效") == len(PROVED)


@pytest.mark.parametrize("index", [0, VICTIM, SIZE - 1])
def test_the_stand_alone_verifier_refuses_one_changed_byte(
    original: Handed, altered: Callable[[int], Handed], index: int
) -> None:
    done = ours(altered(index))
    assert done.returncode == 7
    assert f"第 {index} 条的内容与瓦片中它的哈希不符" in done.stdout
    assert "已被改动" in done.stdout
    low, high = (0, OLD) if index < OLD else (OLD, SIZE)
    assert f"第 {low} 至 {high - 1} 条之间" in done.stdout


def test_pymerkle_finds_the_signed_root(original: Handed) -> None:
    assert merkle_root(original) == original.root


def test_pymerkle_refuses_one_changed_byte(original: Handed, altered: Callable[[int], Handed]) -> None:
    assert merkle_root(altered(VICTIM)) != original.root


def test_the_library_of_gos_checksum_database_accepts_it(original: Handed, go_program: Path) -> None:
    done = go(go_program, original)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"size": SIZE, "old": OLD, "root": original.root, "receipts": len(PROVED)}


def test_the_library_of_gos_checksum_database_refuses_one_changed_byte(
    altered: Callable[[int], Handed], go_program: Path
) -> None:
    done = go(go_program, altered(VICTIM))
    assert (done.returncode, done.stderr) == (1, f"entry {VICTIM} is not what was signed\n")


def test_sigstores_verifier_accepts_it(original: Handed, node_folder: Path) -> None:
    done = node(node_folder, original)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"size": SIZE, "root": original.root, "receipts": len(PROVED)}


def test_sigstores_verifier_refuses_one_changed_byte(altered: Callable[[int], Handed], node_folder: Path) -> None:
    done = node(node_folder, altered(VICTIM))
    assert done.returncode == 1
    assert "does not match inclusion proof" in done.stderr
