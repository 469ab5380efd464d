"""What a verification is given from outside the database: the signer's head files, witnesses' keys, certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from application.installation import Installation
from application.witnessing import witnesses
from audit.claims import outside_claim
from audit.cosignatures import CosignerKey, parse_cosigner
from audit.exposure import VerifyToken
from audit.verdicts import Kind, Problem, Status, Verdict
from models.errors import InvalidInput


def own_heads(paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """The notes in the signer's head files, and one sentence for each that can't be used.

    During a change of keys one of two may not be there yet: that is a loss only where no other is.
    """
    notes: list[str] = []
    damaged: list[str] = []
    missing: list[str] = []
    for path in paths:
        try:
            note = path.read_bytes().decode()
            outside_claim(note)
        except FileNotFoundError:
            missing.append(f"签名头文件 {path} 不见了")
        except (OSError, UnicodeDecodeError, InvalidInput):
            damaged.append(f"签名头文件 {path} 读不出检查点，它损坏或被改动过")
        else:
            notes.append(note)
    return list(dict.fromkeys(notes)), damaged if notes else [*damaged, *missing]


def without_head(verdict: Verdict, lost: Sequence[str]) -> Verdict:
    """The verdict of a verification that lacked the signer's own head: what seems intact may have been set back."""
    said = "没有它就看不出数据库是否被退回过；请从备份找回，并用外部留存的检查点（--checkpoint）核对"
    problems = tuple(Problem(Kind.UNSIGNED, None, f"{item}；{said}。") for item in lost)
    status = Status.NOT_PROVABLE if verdict.status is Status.INTACT else verdict.status
    return replace(verdict, ok=False, status=status, problems=(*verdict.problems, *problems))


def cosigner_keys(installation: Installation, vkeys: Sequence[str]) -> list[CosignerKey]:
    """The witnesses to believe: those that the auditor names, else those of the settings, which are the operator's word."""
    return [parse_cosigner(text) for text in vkeys] or [item.key for item in witnesses(installation)]


def token_check(pem: bytes | None) -> VerifyToken | None:
    """What verifies stored time stamps under the certificates of a PEM file; None without one."""
    if pem is None:
        return None
    # Loading what reads time stamps costs more than most verifications.
    from application.timestamping import token_verifier

    return token_verifier(pem)
