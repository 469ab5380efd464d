"""Reading in a process of its own, with limits: a stranger's file can take its time and memory, not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from documents.reading.sources.form import SourceForm, from_json
from documents.reading.sources.kinds import SourceKind
from models.errors import InvalidInput

_WORKER: Final = Path(__file__).with_name("worker.py")
_ROOT: Final = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one reading: seconds by the clock, bytes of memory of the reading process, bytes of what it gives back."""

    seconds: float = 10.0
    memory: int = 500 * 1024 * 1024
    output: int = 64 * 1024 * 1024


def isolated_form(data: bytes, kind: SourceKind, limits: Limits) -> tuple[SourceKind, SourceForm | None]:
    """Kind and neutral form of a file, read in a process of its own; raises InvalidInput where the limits do not allow it.

    The kind is what a container turns out to hold; the form is None where the file must be converted first.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        source.write(data)
        source.seek(0)
        arguments = (_ROOT, kind.value, limits.memory, max(1, round(limits.seconds)), limits.output)
        # A group of its own: a long PDF is read by two processes, and both must go when the time is over.
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own file
            [sys.executable, "-I", str(_WORKER), *map(str, arguments)],
            stdin=source,
            stdout=result,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            raise InvalidInput(
                f"读了 {limits.seconds:g} 秒还没有读完，已停下；请确认选对了文件，或拆成几份导入。"
            ) from None
        finally:
            end_group(process)
        result.seek(0)
        answer = result.read(limits.output + 1)
    return _form(answer, code, limits)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that was started in a session of its own, and whatever it has started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _form(answer: bytes, code: int, limits: Limits) -> tuple[SourceKind, SourceForm | None]:
    megabytes = limits.memory // 1024 // 1024
    try:
        value = orjson.loads(answer)
        if "refusal" in value:
            raise InvalidInput(str(value["refusal"]))
        if "form" in value:
            form = value["form"]
            return SourceKind(value["kind"]), None if form is None else from_json(form)
        broken = str(value["broken"])
    except (orjson.JSONDecodeError, ValueError, TypeError, KeyError):
        # Libraries in C and Rust end the process where they get no memory, without a word.
        broken = f"结束码 {code}"
        if code < 0 or code == 1:
            raise InvalidInput(
                f"文件读不出：多半是展开后要用的内存超过 {megabytes} MB，或文件已损坏（{broken}）；"
                "请确认选对了文件，拆小后或重新保存后再导入。"
            ) from None
    if broken == "MemoryError":
        raise InvalidInput(f"读这个文件要用的内存超过 {megabytes} MB；请确认选对了文件，或拆成几份导入。")
    raise InvalidInput(f"文件不完整或已损坏，读不出（{broken}）；请用原来的软件打开并重新保存，再导入。")
