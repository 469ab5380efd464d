"""Reading in a process of its own, with limits: a stranger's file can take its time and memory, not ours."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from documents.reading.sources.form import SourceForm, from_json
from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.returned_form import RETURNED, ReturnedForm
from documents.reading.sources.returned_form import from_json as returned_form
from models.errors import InvalidInput

T = TypeVar("T")

_WORKER: Final = Path(__file__).with_name("worker.py")
_ROOT: Final = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one reading: seconds by the clock, bytes of memory of the reading process, bytes of what it gives back."""

    # What is refused is to be refused within ten seconds, the start of the program included.
    seconds: float = 9.0
    memory: int = 500 * 1024 * 1024
    output: int = 64 * 1024 * 1024


def isolated_form(data: bytes, kind: SourceKind, limits: Limits) -> tuple[SourceKind, SourceForm | None]:
    """Kind and neutral form of a file, read in a process of its own; raises InvalidInput where the limits do not allow it.

    The kind is what a container turns out to hold; the form is None where the file must be converted first.
    """
    return _checked(data, kind.value, limits, _form)


def isolated_return(data: bytes, limits: Limits) -> ReturnedForm:
    """A Word file of ours that comes back, read in a process of its own; raises InvalidInput as ``isolated_form`` does."""
    return _checked(data, RETURNED, limits, lambda value: returned_form(value[RETURNED]))


def _checked(data: bytes, wanted: str, limits: Limits, take: Callable[[Any], T]) -> T:
    """What ``take`` makes of the reading process's answer about a file."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        source.write(data)
        source.seek(0)
        # The clock must strike first: what the system ends for its processor time ends without a word.
        arguments = (_ROOT, wanted, limits.memory, math.ceil(limits.seconds) + 1, limits.output)
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
    return _taken(answer, code, limits, take)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that was started in a session of its own, and whatever it has started.

    A process that has ended may have left others behind: the second reader of a long PDF would wait for work for ever.
    """
    if hasattr(os, "killpg"):
        # Nobody is left in the group in the usual case.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()


def _form(value: Any) -> tuple[SourceKind, SourceForm | None]:
    form = value["form"]
    return SourceKind(value["kind"]), None if form is None else from_json(form)


def _taken(answer: bytes, code: int, limits: Limits, take: Callable[[Any], T]) -> T:
    megabytes = limits.memory // 1024 // 1024
    try:
        value = orjson.loads(answer)
        if "refusal" in value:
            raise InvalidInput(str(value["refusal"]))
        if "broken" not in value:
            return take(value)
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
