"""``text check`` ends when it is told to, and does not wait for what will never come."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from acceptance_shell import SAMPLE, Shell


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """Somebody without an installation."""
    return Shell(tmp_path / "no-home")


def _children(process_id: int) -> list[int]:
    """The processes that a process has started, as Linux tells them."""
    found = Path(f"/proc/{process_id}/task/{process_id}/children").read_text("ascii")
    return [int(child) for child in found.split()]


def test_whoever_stops_a_folder_does_not_wait_for_the_files_that_are_queued(stranger: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "来文"
    folder.mkdir()
    for number in range(5000):
        # So many take far longer than anybody waits here.
        (folder / f"{number}.txt").symlink_to(SAMPLE)
    started = stranger.start("text", "check", folder, "--jobs", "2", start_new_session=True)
    while len(_children(started.pid)) < 2:
        assert started.poll() is None, started.communicate()
        time.sleep(0.05)
    children = _children(started.pid)
    os.kill(started.pid, signal.SIGINT)
    _out, errors = started.communicate(timeout=100)
    assert (started.returncode, "已取消" in errors) == (1, True), errors
    for _ in range(200):
        left = [child for child in children if Path(f"/proc/{child}").exists()]
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"processes that were left: {left}")


@pytest.mark.parametrize("command", [("text", "check"), ("text", "compare")])
def test_a_named_pipe_is_refused(stranger: Shell, tmp_path: Path, command: tuple[str, ...]) -> None:
    pipe = tmp_path / "管道.txt"
    os.mkfifo(pipe)
    files = [pipe, SAMPLE] if "compare" in command else [pipe]
    done = stranger.run(*command, *files)
    assert done.returncode in (2, 6)
    assert "是管道，不是文件" in done.stderr + done.stdout
