"""Whether a path that a person named can be opened without waiting for somebody else."""

from __future__ import annotations

import stat
from pathlib import Path

from models.errors import InvalidInput

# Where a shell puts the pipes of ``<(command)``: those have a writer.
_OF_THE_SHELL = ("/dev/", "/proc/")


def require_no_pipe(path: Path) -> None:
    """Raises InvalidInput for a named pipe: to open one waits for a writer, who may never come."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # what is wrong with it, opening it will tell
    if stat.S_ISFIFO(mode) and not str(path).startswith(_OF_THE_SHELL):
        raise InvalidInput(f"“{path}”是管道，不是文件；请指定一个文件，或用 - 从标准输入读取。")
