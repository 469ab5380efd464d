"""Findings as SARIF 2.1.0 (OASIS standard), which code hosts and editors show beside the lines of a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from documents.checking.catalogue import EXPLANATIONS
from documents.checking.registry import Rule, rules
from documents.checking.report import Checked, Shown
from documents.checking.settings import CheckSettings
from models.findings import Severity

VERSION: Final = "2.1.0"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def sarif(results: Sequence[Checked], *, settings: CheckSettings, version: str, files: bool = True) -> dict[str, Any]:
    """One SARIF log with one run; a file that could not be read is a notification of the run.

    ``version`` is the program's. Names of results are taken as relative paths where they are ``files``, and else as ids of
    texts that lie in no file.
    """
    known = rules()
    numbers = {rule.code: number for number, rule in enumerate(known)}
    problems = [_notification(item, files=files) for item in results if item.problem is not None]
    return {
        "version": VERSION,
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "jixiao",
                        "version": version,
                        "language": "zh-CN",
                        "rules": [_rule(rule, settings) for rule in known],
                    }
                },
                "language": "zh-CN",
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": not problems, "toolExecutionNotifications": problems},
                ],
                "results": [
                    _result(item, checked, numbers, files=files) for checked in results for item in checked.findings
                ],
            }
        ],
    }


def _rule(rule: Rule, settings: CheckSettings) -> dict[str, Any]:
    own = settings.rules.get(rule.code)
    severity = own.severity if own is not None and own.severity is not None else rule.severity
    explained = EXPLANATIONS[rule.code]
    help_ = f"{explained.looks_for}\n不符合：{explained.wrong}\n符合：{explained.right}"
    return {
        "id": rule.code,
        "name": rule.title,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.basis or rule.title}。"},
        "help": {"text": help_},
        "defaultConfiguration": {"level": _LEVELS[severity], "enabled": own is None or own.disabled is None},
        "properties": {"criterion": rule.criterion.value, "tags": [rule.criterion.value]},
    }


def _artifact(name: str) -> dict[str, Any]:
    path = PurePath(name)
    # Bytes, since a name need be no proper text.
    return {"uri": path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()), safe="/")}


def _result(item: Shown, checked: Checked, numbers: dict[str, int], *, files: bool) -> dict[str, Any]:
    finding = item.finding
    logical = {"name": item.where, "fullyQualifiedName": item.anchor or "/", "kind": "member"}
    location: dict[str, Any] = {"logicalLocations": [logical]}
    if files:
        location["physicalLocation"] = {"artifactLocation": _artifact(checked.name)}
        if item.line is not None:
            location["physicalLocation"]["region"] = {"startLine": item.line}
    # The anchor survives edits of the file, so that a finding is known again when lines have moved.
    print_ = hashlib.sha256("\0".join((finding.code, checked.shown_name, item.anchor)).encode()).hexdigest()
    return {
        "ruleId": finding.code,
        "ruleIndex": numbers[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [location],
        "partialFingerprints": {"place/v1": print_[:32]},
    }


def _notification(item: Checked, *, files: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"level": "error", "message": {"text": item.problem}}
    if files:
        value["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(item.name)}}]
    return value
