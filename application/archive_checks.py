"""Checking an archive offline: no database, no network, no log-in; the file, and a public key from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from application.archive_files import MANIFEST, README, parse_manifest, unpacked
from audit.events import parse_event
from audit.notes import VerifierKey, parse_vkey
from audit.receipts import SUFFIX, judge_receipt
from models.canonical import digest
from models.errors import InvalidInput

_SCHEMA = "jixiao/archive/1"
_ALWAYS = ("archive.json", "opinions.json", "people.json", "steps.json", "catalogue.pdf", "process-sheet.pdf", README)


@dataclass(frozen=True, slots=True)
class ArchiveVerdict:
    """What a check found: the sentences of what differs, how many files and receipts were looked at, and whose archive it is."""

    problems: tuple[str, ...]
    files: int
    receipts: int
    text_id: str = ""
    title: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything is as it was."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON object."""
        return {
            "ok": self.ok,
            "text": self.text_id,
            "title": self.title,
            "files": self.files,
            "receipts": self.receipts,
            "problems": list(self.problems),
        }


def verify_archive(data: bytes, vkeys: Sequence[str]) -> ArchiveVerdict:
    """Whether an archive is as it was made, and its events stand in the log of one of the keys.

    Raises InvalidInput for a key that is none, since that is a slip of the person who asks; a file that can't be opened is a
    verdict.
    """
    keys = [parse_vkey(text) for text in vkeys]
    if not keys:
        raise InvalidInput("没有给出公钥；请用 --vkey 给出从外部取得的公钥文件。")
    try:
        members = unpacked(data)
    except InvalidInput as error:
        return ArchiveVerdict((error.message,), 0, 0)
    problems = list(_manifest_problems(members))
    about = _json_of(members.get("archive.json", b""))
    if not isinstance(about, dict) or about.get("schema") != _SCHEMA:
        return ArchiveVerdict((*problems, "归档说明（archive.json）缺少或读不出，不能核对内容。"), len(members), 0)
    events: list[dict[str, Any]] = []
    problems += _event_problems(members, keys, str(about.get("text")), events)
    said = about.get("log")
    if not isinstance(said, dict) or said.get("events") != len(events):
        problems.append(f"归档说明写的事件数与收据数（{len(events)}）不符；可能少了事件。")
    problems += _content_problems(members, about, events)
    problems += _document_problems(members, events)
    return ArchiveVerdict(
        tuple(problems), len(members), len(events), str(about.get("text", "")), str(about.get("title", ""))
    )


def _manifest_problems(members: Mapping[str, bytes]) -> Iterator[str]:
    if MANIFEST not in members:
        yield f"缺少清单（{MANIFEST}）。"
        return
    try:
        listed = parse_manifest(members[MANIFEST])
    except InvalidInput as error:
        yield error.message
        return
    for path in sorted(listed.keys() | members.keys() - {MANIFEST}):
        if path not in members:
            yield f"缺少文件 {path}。"
        elif path not in listed:
            yield f"多出文件 {path}，清单里没有它。"
        elif digest(members[path]) != listed[path]:
            yield f"文件 {path} 与清单不符，被改动过。"
    for path in _ALWAYS:
        if path not in members and path not in listed:
            yield f"缺少文件 {path}。"


def _event_problems(
    members: Mapping[str, bytes], keys: Sequence[VerifierKey], text_id: str, events: list[dict[str, Any]]
) -> Iterator[str]:
    """What is wrong with events and receipts; those that are proven go into ``events``, in the order of the log."""
    for path in sorted(name for name in members if name.startswith("events/") and name.endswith(".json")):
        receipt = members.get(path.removesuffix(".json") + SUFFIX)
        if receipt is None:
            yield f"事件 {path} 没有收据。"
            continue
        verdict = judge_receipt(receipt, members[path], keys)
        if not verdict.ok:
            yield f"事件 {path}：{verdict.message}"
            continue
        try:
            event = parse_event(members[path])
        except InvalidInput:
            yield f"事件 {path} 读不出。"
            continue
        if event["obj"] != {**event["obj"], "type": "text", "id": text_id}:
            yield f"事件 {path} 不是这份文本的。"
            continue
        events.append(event)


def _content_problems(
    members: Mapping[str, bytes], about: Mapping[str, Any], events: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Versions are what events wrote, one after the other: an event with new content tells its hash (``after``)."""
    written = [
        event["after"]
        for event in events
        if event["out"] == "success"
        and event["act"] in ("text.import", "text.create", "text.field.update")
        and "after" in event
    ]
    versions = about.get("versions")
    listed = [item for item in versions if isinstance(item, dict)] if isinstance(versions, list) else []
    held = sorted(path for path in members if path.startswith("content/"))
    if [item.get("path") for item in listed] != held or len(held) != len(written):
        yield f"内容有 {len(held)} 版，而事件写下了 {len(written)} 版；有缺少或多出的。"
    for path, told in zip(held, written, strict=False):
        if digest(members[path]) != told:
            yield f"内容 {path} 与事件写下的哈希不符，被改动过。"


def _document_problems(members: Mapping[str, bytes], events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    told = {
        change["n"].get("sha256")
        for event in events
        if event["act"] == "document.render"
        for change in event.get("chg", ())
        if isinstance(change.get("n"), dict)
    }
    for path in sorted(members):
        if path.startswith("documents/") and digest(members[path]) not in told:
            yield f"文件 {path} 的哈希不在任何事件里，不能证明是当时的文件。"


def _json_of(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
