"""The reading process: one file on standard input, its neutral form or one sentence of refusal on standard output.

Run as ``python -I worker.py ROOT KIND MEMORY SECONDS OUTPUT`` by ``isolation``; ROOT is the folder of the packages. Nothing of
the file's kind is imported before the limits stand.
"""

from __future__ import annotations

import errno
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

# PR_SET_PDEATHSIG of prctl(2).
_END_WITH_PARENT = 1

if TYPE_CHECKING:
    from documents.reading.sources.form import SourceForm
    from documents.reading.sources.kinds import SourceKind


def limit(memory: int, seconds: int, output: int) -> None:
    """Limits this process to bytes of memory, seconds of work and bytes of output, where the system knows limits."""
    try:
        import resource
    except ImportError:  # Windows has none; the parent still ends what takes too long.
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # A system that has set it lower already is as good.
            continue


def end_with_parent() -> None:
    """Has Linux end this process with the one that started it: when that one is killed, it can end nobody any more."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


def form_of(data: bytes, kind: SourceKind) -> tuple[SourceKind, SourceForm | None]:
    """Kind and neutral form of a file; None for one that must be converted first. Raises InvalidInput where it can't be read.

    What a container holds, only its members tell, and they are not looked at outside of the limits.
    """
    from documents.reading.sources.kinds import CONVERTED, SourceKind

    if kind is SourceKind.PDF:
        from documents.reading.sources.pdf_files import read_pdf

        return kind, read_pdf(data)
    if kind is SourceKind.HTML:
        from documents.reading.sources.html_pages import read_html

        return kind, read_html(data)
    if kind is SourceKind.DOCX:
        from documents.reading.sources.containers import checked_container, container_kind

        kind = container_kind(checked_container(data))
    if kind in CONVERTED:
        return kind, None
    if kind is SourceKind.DOCX:
        from documents.reading.sources.docx_files import read_docx

        return kind, read_docx(data)
    from documents.reading.sources.spreadsheets import read_workbook

    return kind, read_workbook(data, kind)


def _returned(data: bytes) -> object:
    """A Word file of ours that comes back, as JSON."""
    from documents.reading.sources.returned_files import read_returned
    from documents.reading.sources.returned_form import to_json

    return to_json(read_returned(data))


def answer(data: bytes, kind: str) -> bytes:
    """The answer as JSON: ``{"kind", "form"}`` (``{"returned": form}`` for a file of ours that comes back), ``{"refusal":
    sentence}``, or ``{"broken": name of the error}``.
    """
    import orjson

    from documents.reading.sources.form import to_json
    from documents.reading.sources.kinds import SourceKind
    from documents.reading.sources.returned_form import RETURNED
    from models.errors import InvalidInput

    try:
        if kind == RETURNED:
            return orjson.dumps({RETURNED: _returned(data)})
        found, form = form_of(data, SourceKind(kind))
        return orjson.dumps({"kind": found.value, "form": None if form is None else to_json(form)})
    except InvalidInput as error:
        return orjson.dumps({"refusal": error.message})
    except Exception as error:  # noqa: BLE001 -- whatever a stranger's file makes a library raise must not be a traceback
        # Loading a library, too, fails where there is no memory left for it.
        starved = isinstance(error, (MemoryError, ImportError)) or getattr(error, "errno", None) == errno.ENOMEM
        return orjson.dumps({"broken": "MemoryError" if starved else type(error).__name__})


def main() -> None:
    """Reads, answers, and leaves."""
    root, kind, memory, seconds, output = sys.argv[1:]
    end_with_parent()
    limit(int(memory), int(seconds), int(output))
    # Libraries report every font that lacks something; nobody reads it here, and it costs time.
    logging.disable(logging.CRITICAL)
    # The process reads one file and ends: looking for garbage only costs it time.
    gc.disable()
    sys.path.append(root)
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), kind))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
