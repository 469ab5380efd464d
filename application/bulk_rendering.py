"""Rendering many texts into a folder: on all processors, with a list beside the files by which a second run goes on."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from application.appearance import Appearance, appearance_of
from application.installation import Request
from application.kept_documents import Made, find, is_kept, keep, made_now
from application.rendering import RENDERERS, allowed_stage, file_name, record, require_known
from application.texts import list_texts
from application.use_cases import use_case
from documents.rendering import Stage
from documents.rendering.facts import facts_digest
from documents.rendering.template_set import TemplateSet
from documents.rendering.template_version import templates_sha256
from models.canonical import digest
from models.engine import transaction
from models.errors import InvalidInput, InvalidTransition, JixiaoError, NotAllowed

# The list of what lies in the folder, a JSON object a line.
LIST = "rendered.jsonl"
# So many texts are read in one transaction, and so many files recorded in one.
_BATCH = 50
# So many documents wait for each processor at most: what is read ahead is memory.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class _Job:
    """A document to make, the name of its file, and the file where it was made before."""

    stage: Stage
    name: str
    facts: str
    made: Made | None


@use_case("text.render_all")
def render_all(
    request: Request,
    folder: Path,
    *,
    state: str | None = None,
    year: int | None = None,
    document: str | None = None,
    format_: str = "pdf",
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """A document of every text that the person may read: ``{folder, rendered, skipped, absent, failed: [{text, message}]}``.

    Files that are there already and would be the same are ``skipped``; texts that never came to the document's stage, or of
    which the person may not have it, are ``absent``. ``progress(done, total)`` counts texts. Raises InvalidInput for a folder
    with other things in it.
    """
    require_known(document, format_)
    request.installation.require_writable()
    listed = [item["text"] for item in list_texts(request, state=state, year=year)]
    look = appearance_of(request.installation)
    shelf = _Shelf(folder, format_, look.templates)
    count = workers or os.cpu_count() or 1
    run = _Run(request, shelf, format_, {"id": uuid.uuid4().hex, "size": len(listed)})
    # Spawned: a forked process would share the database's connection and the threads' locks.
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            waiting: deque[tuple[_Job, Future[tuple[bytes, str]] | None]] = deque()
            for done, job in enumerate(run.jobs(listed, document), 1):
                if job is not None:
                    waiting.append((job, None if job.made else pool.submit(_make, job.stage, format_, look)))
                while len(waiting) >= count * _AHEAD:
                    run.take(*waiting.popleft())
                progress(done - len(waiting), len(listed))
            while waiting:
                run.take(*waiting.popleft())
            run.record()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    progress(len(listed), len(listed))
    request.installation.settle(run.last_event)
    return {"folder": str(folder), **run.counted, "failed": run.failed}


def _make(stage: Stage, format_: str, look: Appearance) -> tuple[bytes, str]:
    """In a process of its own: the bytes, or the message of what stands in the way (errors of ours don't travel)."""
    try:
        return RENDERERS[format_](stage, look), ""
    except JixiaoError as error:
        return b"", error.message


class _Shelf:
    """The folder with its list: what lies there, and of which facts it was made."""

    def __init__(self, folder: Path, format_: str, templates: TemplateSet) -> None:
        self.templates = templates
        self._folder, self._list, self._format = folder, folder / LIST, format_
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"“{folder}”不是文件夹；请用 --out 指定一个文件夹。")
        if folder.is_dir() and not self._list.exists() and any(folder.iterdir()):
            raise InvalidInput(f"文件夹“{folder}”里有别的文件；请用 --out 指定一个空的文件夹，或上次用过的那一个。")
        folder.mkdir(parents=True, exist_ok=True)
        self._held: dict[str, dict[str, str]] = {}
        if self._list.exists():
            for line in self._list.read_bytes().splitlines():
                try:
                    item = orjson.loads(line)
                    self._held[item["file"]] = item
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    continue  # a line that an interruption cut: its file is made again

    def holds(self, job: _Job) -> bool:
        """Whether the file lies there as it would be made now."""
        item = self._held.get(job.name)
        if item is None or item.get("facts") != job.facts:
            return False
        # What is kept is the same with any templates; a draft is made of today's.
        today = templates_sha256(job.stage.document, self.templates)
        if not is_kept(job.stage.document) and item.get("templates") != today:
            return False
        path = self._folder / job.name
        return path.is_file() and digest(path.read_bytes()) == item.get("sha256")

    def put(self, job: _Job, made: Made) -> None:
        """Writes a file whole or not at all, and then its line."""
        path = self._folder / job.name
        part = path.with_name(f".{job.name}.part")
        part.write_bytes(made.data)
        part.replace(path)
        line = {"file": job.name, "facts": job.facts, "sha256": digest(made.data), "templates": made.templates}
        with self._list.open("ab") as listed:
            listed.write(orjson.dumps(line) + b"\n")


class _Run:
    """One run: reads stages, takes what was made, and records it in batches."""

    def __init__(self, request: Request, shelf: _Shelf, format_: str, bulk: Mapping[str, Any]) -> None:
        self._request, self._shelf, self._format, self._bulk = request, shelf, format_, bulk
        self._unrecorded: list[tuple[_Job, Made]] = []
        self.counted = {"rendered": 0, "skipped": 0, "absent": 0}
        self.failed: list[dict[str, str]] = []
        self.last_event: str | None = None

    def jobs(self, text_ids: list[str], document: str | None) -> Iterator[_Job | None]:
        """The documents of texts, None for each that needs none; a batch is read at once and then let go."""
        for start in range(0, len(text_ids), _BATCH):
            jobs: list[_Job | None] = []
            with transaction(self._request.installation.engine, read_only=True) as work:
                for text_id in text_ids[start : start + _BATCH]:
                    try:
                        stage = allowed_stage(work, self._request, text_id, document)
                    except (InvalidTransition, NotAllowed):
                        self.counted["absent"] += 1
                        jobs.append(None)
                        continue
                    job = _Job(stage, f"{text_id}-{file_name(stage, self._format)}", facts_digest(stage), None)
                    if self._shelf.holds(job):
                        self.counted["skipped"] += 1
                        jobs.append(None)
                    else:
                        jobs.append(_Job(job.stage, job.name, job.facts, find(work, stage, self._format)))
            yield from jobs

    def take(self, job: _Job, future: Future[tuple[bytes, str]] | None) -> None:
        """Takes a document that was made, or was made before."""
        made = job.made
        if future is not None:
            data, message = future.result()
            if message:
                self.failed.append({"text": job.stage.text_id, "message": message})
                return
            made = made_now(job.stage, data, self._shelf.templates)
        if made is not None:
            self._unrecorded.append((job, made))
        if len(self._unrecorded) >= _BATCH:
            self.record()

    def record(self) -> None:
        """Keeps and records what was made in one transaction, and only then writes the files: no file without its event."""
        if not self._unrecorded:
            return
        given = []
        with transaction(self._request.installation.engine) as work:
            for job, made in self._unrecorded:
                kept = keep(work, job.stage, self._format, made, self._request.now())
                recorded = record(work, self._request, job.stage, self._format, kept, bulk=self._bulk)
                self.last_event = recorded.event_id
                given.append((job, kept))
        for job, made in given:
            self._shelf.put(job, made)
        self.counted["rendered"] += len(given)
        self._unrecorded = []
