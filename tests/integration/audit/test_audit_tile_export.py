"""The folder of tiles on both databases: whole, incremental, atomic, and never of a history that does not continue."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from audit_log import Log
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import tileexport, tiles
from audit.keys import Signer
from audit.notes import parse_vkey
from audit.tileexport import TileExport, export_tiles
from audit.tilefolder import TileFolder, bundle, entries_path
from audit.tree import leaf_hash
from models.engine import transaction
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound


def export(log: Log, folder: Path, **given: Any) -> TileExport:
    with transaction(log.engine, read_only=True) as work:
        return export_tiles(work, TileFolder(folder), **given)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def keys(log: Log) -> Any:
    return [parse_vkey(log.signer.vkey)]


def test_the_folder_has_the_files_of_tlog_tiles_up_to_the_newest_checkpoint(filled: Log, tmp_path: Path) -> None:
    done = export(filled, tmp_path / "tiles")
    names = (
        {"checkpoint"}
        | {f"tile/{kind}/{name}" for kind in ("0", "entries") for name in ("000", "001", "002.p/13")}
        | {"tile/1/000.p/2"}
    )
    found = files(tmp_path / "tiles")
    assert found.keys() == names
    assert (done.size, done.written) == (525, len(names))
    assert found["tile/0/001"] == b"".join(filled.leaves()[256:512])
    assert found["tile/entries/002.p/13"] == bundle([filled.body(index) for index in range(512, 525)])
    assert found["checkpoint"].decode() == filled.rows("SELECT note FROM audit_checkpoint WHERE size = 525")[0][0]


def test_what_was_exported_is_read_back_under_the_signed_root(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "tiles")
    folder = TileFolder(tmp_path / "tiles")
    assert folder.checkpoint(keys(filled)).size == 525
    assert [leaf_hash(body) for body in folder.entries(1)] == filled.leaves()[256:512]
    assert folder.hashes(0, 0, 7) == b"".join(filled.leaves()[:7])


def test_progress_counts_entries_to_the_end(filled: Log, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    export(filled, tmp_path / "tiles", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(256, 525), (512, 525), (525, 525)]


def test_a_second_export_writes_only_what_is_new(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    log.filled(300, 300)
    export(log, folder)
    assert export(log, folder).written == 0
    before = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    log.filled(600, 600)
    export(log, folder)
    untouched = {
        name for name, at in before.items() if (folder / name).exists() and (folder / name).stat().st_mtime_ns == at
    }
    assert untouched == {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"}
    fresh = tmp_path / "fresh"
    export(log, fresh)
    # Level 1 keeps the partial tile of the older checkpoint, as the specification asks.
    assert files(folder).items() - files(fresh).items() == {("tile/1/000.p/1", files(folder)["tile/1/000.p/1"])}
    assert files(fresh).items() <= files(folder).items()


def test_a_full_tile_of_another_size_is_written_again(filled: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    export(filled, folder)
    whole = files(folder)
    for name in ("tile/0/000", "tile/entries/001"):
        (folder / name).write_bytes(whole[name][:-1])
    assert export(filled, folder).written == 2
    assert files(folder) == whole


def test_an_export_that_was_broken_off_is_finished_and_trusts_nothing_it_left(filled: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    export(filled, folder)
    whole = files(folder)
    (folder / "checkpoint").unlink()
    # The tile of a history that was given up has the right size, too.
    (folder / "tile/0/000").write_bytes(bytes(tiles.TILE_BYTES))
    export(filled, folder)
    assert files(folder) == whole


def test_a_folder_whose_tiles_do_not_fit_its_checkpoint_is_not_gone_on_with(filled: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    export(filled, folder)
    (folder / "tile/1/000.p/2").write_bytes(bytes(64))
    with pytest.raises(InvalidInput, match="已经损坏"):
        export(filled, folder)


class _Stopped(Exception):
    pass


@pytest.mark.parametrize("after", range(8))
def test_a_break_at_any_file_leaves_no_promise_unkept(
    filled: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    folder, count = tmp_path / "tiles", 0
    replace = Path.replace

    def stopping(path: Path, target: Path) -> Path:
        nonlocal count
        if count == after:
            raise _Stopped
        count += 1
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopping)
        with pytest.raises(_Stopped):
            export(filled, folder)
    assert not (folder / "checkpoint").exists()
    assert not [name for name in files(folder) if "/." in name], "temporary files were left behind"
    assert export(filled, folder).size == 525
    assert TileFolder(folder).checkpoint(keys(filled)).size == 525


def test_no_checkpoint_no_export(log: Log, tmp_path: Path) -> None:
    log.add(3)
    with pytest.raises(NotFound, match="audit checkpoint"):
        export(log, tmp_path / "tiles")


def test_a_folder_of_another_log_is_left_alone(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    log.filled(10, 10)
    export(log, folder)
    note = (folder / "checkpoint").read_text("utf-8")
    (folder / "checkpoint").write_text(note.replace(log.signer.name, "other.gov.cn/log"), "utf-8")
    before = files(folder)
    with pytest.raises(InvalidInput, match="另一个文件夹"):
        export(log, folder)
    assert files(folder) == before


def test_a_folder_with_other_things_in_it_is_left_alone(log: Log, tmp_path: Path) -> None:
    log.filled(3, 3)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    with pytest.raises(InvalidInput, match="别的东西"):
        export(log, tmp_path / "precious")
    with pytest.raises(InvalidInput, match="别的东西"):
        export(log, tmp_path / "precious" / "file")
    assert files(tmp_path / "precious") == {"file": b""}


def test_a_log_that_is_signed_on_during_an_export_is_not_accused(
    postgresql_log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = postgresql_log.filled(300, 300)
    read = tileexport.read_head

    def read_and_go_on(*arguments: Any) -> Any:
        found = read(*arguments)
        log.add(5, 1000)
        log.sign()
        return found

    monkeypatch.setattr(tileexport, "read_head", read_and_go_on)
    export(log, tmp_path / "tiles")
    assert export(log, tmp_path / "tiles").size == 305
    assert TileFolder(tmp_path / "tiles").checkpoint(keys(log)).size == 305


def test_a_database_that_was_set_back_does_not_overwrite_what_was_exported(filled: Log, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    export(filled, folder)
    before = files(folder)
    filled.attack("DELETE FROM audit_checkpoint WHERE size > 300")
    with pytest.raises(LogCorrupt, match="延续"):
        export(filled, folder)
    assert files(folder) == before


def test_a_rewritten_history_does_not_overwrite_what_was_exported(make_log: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    log = make_log("sqlite")
    log.filled(30, 30)
    export(log, folder)
    log.attack("DELETE FROM audit_entry WHERE idx >= 20")
    log.attack("DELETE FROM audit_projection WHERE idx >= 20")
    log.attack("DELETE FROM audit_checkpoint")
    frontier = b"".join([tiles.fold(b"".join(log.leaves()[:16])), tiles.fold(b"".join(log.leaves()[16:20]))])
    log.attack("UPDATE audit_head SET n = 20, frontier = :f", f=frontier)
    log.signer.head_path.unlink()
    log.add(20, 100)
    log.sign()
    with pytest.raises(LogCorrupt, match="延续"):
        export(log, folder)


def test_missing_entries_and_tiles_are_not_exported_over(filled: Log, tmp_path: Path) -> None:
    filled.attack("DELETE FROM audit_entry WHERE idx = 77")
    with pytest.raises(LogCorrupt, match="第 0 至 255 条中缺少 1 条"):
        export(filled, tmp_path / "tiles")
    assert not (tmp_path / "tiles" / "checkpoint").exists()


def test_a_checkpoint_that_is_not_of_these_tiles_is_not_exported(filled: Log, tmp_path: Path) -> None:
    filled.attack("UPDATE audit_tile SET h = :h WHERE level = 0 AND n = 1", h=bytes(tiles.TILE_BYTES))
    # Tile 0/1 is not on the way to the root: only level 1 is. The verifier finds it; what is on the way is found here.
    export(filled, tmp_path / "tiles")
    filled.attack("UPDATE audit_head SET edge = :e", e=bytes(64))
    with pytest.raises(LogCorrupt, match="检查点"):
        export(filled, tmp_path / "others")


def test_cosignatures_go_with_the_checkpoint(log: Log, tmp_path: Path) -> None:
    log.filled(5, 5)
    line = "— witness.gov.cn AAAAAAAAAAAA\n"
    log.attack("UPDATE audit_checkpoint SET cosignatures = :line", line=line)
    export(log, tmp_path / "tiles")
    assert (tmp_path / "tiles" / "checkpoint").read_text("utf-8").endswith(line)
    log.attack("UPDATE audit_checkpoint SET cosignatures = 'nonsense'")
    with pytest.raises(LogCorrupt, match="见证签名"):
        export(log, tmp_path / "tiles")


def _hold(path: str, ready: Any, done: Any) -> None:
    with TileFolder(Path(path)).writing():
        ready.set()
        done.wait(30)


def test_two_exports_into_one_folder_do_not_mix(sqlite_log: Log, tmp_path: Path) -> None:
    sqlite_log.filled(5, 5)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path / "tiles"), ready, done))
    other.start()
    assert ready.wait(30)
    with pytest.raises(Conflict, match="另一个进程"):
        export(sqlite_log, tmp_path / "tiles")
    done.set()
    other.join(30)
    assert export(sqlite_log, tmp_path / "tiles").size == 5


def test_a_cut_or_missing_or_widened_file_is_named(filled: Log, tmp_path: Path) -> None:
    folder = TileFolder(tmp_path / "tiles")
    export(filled, folder.path)
    for name, data, message in (
        ("tile/0/000", bytes(tiles.TILE_BYTES - 1), "应有 8192 字节，实有 8191 字节"),
        ("tile/0/002.p/13", bytes(14 * 32), "应有 416 字节，实有 448 字节"),
        ("tile/0/001", None, "缺少 tile/0/001"),
    ):
        path = folder.path / name
        whole = path.read_bytes()
        path.unlink() if data is None else path.write_bytes(data)
        number = int(name.split("/")[2][:3])
        with pytest.raises(InvalidInput, match=message):
            folder.hashes(0, number, 13 if number == 2 else 256)
        path.write_bytes(whole)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.data())
@settings(max_examples=50)
def test_a_bundle_gives_its_entries_back_and_no_other_length_of_it(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], data: st.DataObject
) -> None:
    folder = TileFolder(tmp_path_factory.mktemp("bundle"))
    name = entries_path(0, len(bodies))
    folder.write(name, bundle(bodies))
    assert folder.entries(0, len(bodies)) == bodies
    cut = bundle(bodies)[: data.draw(st.integers(0, len(bundle(bodies)) - 1))]
    for wrong in (cut, bundle(bodies) + b"\x00", bundle([*bodies, b"one more"])):
        folder.write(name, wrong)
        with pytest.raises(InvalidInput, match="残缺"):
            folder.entries(0, len(bodies))


def test_a_foreign_checkpoint_and_a_foreign_key_are_refused(filled: Log, tmp_path: Path) -> None:
    folder = TileFolder(tmp_path / "tiles")
    export(filled, folder.path)
    stranger = Signer.create(tmp_path / "stranger.pem", filled.signer.name)
    with pytest.raises(LogCorrupt, match="可信公钥"):
        folder.checkpoint([parse_vkey(stranger.vkey)])
    # A checkpoint of ours that belongs to other tiles.
    note = stranger.sign(525, bytes(32), lambda old: [])
    (folder.path / "checkpoint").write_text(note, "utf-8")
    with pytest.raises(LogCorrupt, match="不符"):
        folder.checkpoint([parse_vkey(stranger.vkey)])
    (folder.path / "checkpoint").write_text("nonsense", "utf-8")
    with pytest.raises(InvalidInput):
        folder.checkpoint([parse_vkey(stranger.vkey)])
    (folder.path / "checkpoint").unlink()
    with pytest.raises(InvalidInput, match="没有 checkpoint"):
        folder.checkpoint([parse_vkey(stranger.vkey)])
