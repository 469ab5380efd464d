"""Everything that is wrong with the YAML of a definition, each finding with its line: reading, static checks, proofs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml
from pydantic import ValidationError

from models.errors import InvalidInput
from workflow import proofs
from workflow.linting import Flaw, Place, Severity, lint
from workflow.mistakes import mistakes
from workflow.source import lines_of, parse_definition

# Every code of a finding, with what it is about; the codes are stable, so that scripts may tell them apart.
CODES: Final = {
    # Reading.
    "unreadable": "不是可以读的 YAML",
    "shape": "写法不合格式",
    "deadline": "期限的写法",
    "unknown_calendar": "没有这个工作日历",
    "undefined": "用到没有定义的名称",
    "doubled": "动作在一个状态上定义了两次",
    "sign_off": "签署的规则、席位或结果",
    "inconsistent": "定义前后矛盾",
    # The definition held against the installation.
    "unknown_kind": "没有这一类文本",
    "unknown_document": "没有这份文书",
    "unknown_role": "没有这个岗位",
    "role_side": "岗位不在这一方",
    "unknown_guard": "没有登记的条件",
    "condition": "条件表达式的写法",
    "undecidable": "条件无法判定",
    "overlapping": "条件可以同时成立",
    "past_deadline": "期限已过",
    "return_without_reason": "退回不要求理由",
    "reopening_without_reason": "重新打开不要求理由",
    "publication_unguarded": "公开不核对批准的内容",
    "unused_role": "没有用到的岗位",
    "no_separation": "没有不相容岗位",
    "single_seat": "只有一个席位",
    "same_title": "状态同名",
    # Proofs over all ways.
    "too_many": "情况太多，无法穷举",
    "unreachable_state": "到不了的状态",
    "dead_transition": "永远不会发生的动作",
    "dead_source": "动作从某个状态永远不会发生",
    "trap": "走不出去的状态",
    "no_final": "没有终点",
    "no_way_to_final": "到不了终点",
    "no_way_back": "退回之后回不来",
    "resume_unused": "直送没有出路",
    "publishes_unapproved": "公开没有批准的内容",
    "approves_unsubmitted": "批准没有报送的内容",
    "final_left": "离开终点",
    "bureau_edits": "审核机关修改内容",
    "property_reachable": "性质 reachable 不成立",
    "property_eventually_possible": "性质 eventually_possible 不成立",
    "property_always_before": "性质 always_before 不成立",
    "property_at_most": "性质 at_most 不成立",
    "property_separate": "性质 separate 不成立",
}
# With one of them nothing could be proved.
_UNPROVED: Final = frozenset(
    {
        "unreadable",
        "shape",
        "deadline",
        "unknown_calendar",
        "undefined",
        "doubled",
        "sign_off",
        "inconsistent",
        "condition",
        "undecidable",
        "too_many",
    }
)
# The proof says for certain what the static check only fears.
_FEARED: Final = {"publication_unguarded": "publishes_unapproved"}


# A flaw or a proof, and the steps that show it.
_Found = tuple[Flaw | proofs.Proof, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: code (of ``CODES``), line from 1 (None where there is none), place in the YAML, one Chinese sentence.

    ``path`` is a shortest way that shows it, one step each; empty where it takes none.
    """

    code: str
    severity: Severity
    line: int | None
    place: Place
    message: str
    path: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Its members by name."""
        return {
            "code": self.code,
            "severity": self.severity,
            "line": self.line,
            "place": [*self.place],
            "message": self.message,
            "path": [*self.path],
        }


def check_definition(
    data: bytes | str, *, documents: Collection[str], prove: bool = True, today: date | None = None
) -> tuple[Finding, ...]:
    """Findings by line; ``documents`` and ``today`` as in ``lint``. Without ``prove`` the ways are not gone through."""
    try:
        definition = parse_definition(data)
    except InvalidInput as error:
        return _unreadable(data, error)
    flaws = lint(definition, documents=documents, today=today)
    proved = proofs.prove(definition) if prove and is_proved(flaw.code for flaw in flaws) else ()
    certain = {(proof.code, proof.place) for proof in proved}
    kept = [flaw for flaw in flaws if (_FEARED.get(flaw.code), flaw.place) not in certain]
    found: list[_Found] = [(flaw, ()) for flaw in kept]
    found += [(proof, tuple(str(step) for step in proof.counterexample)) for proof in proved]
    return _with_lines(data, found)


def is_proved(codes: Iterable[str]) -> bool:
    """Whether a definition with these findings was (or can be) proved at all."""
    return _UNPROVED.isdisjoint(codes)


def _unreadable(data: bytes | str, error: InvalidInput) -> tuple[Finding, ...]:
    if isinstance(error.__cause__, ValidationError):
        return _with_lines(data, [(flaw, ()) for flaw in mistakes(data, error.__cause__)])
    lines = error.facts.get("lines", [None])
    message = error.message
    if isinstance(error.__cause__, yaml.MarkedYAMLError):
        # What the library says names a line once more, and the text around it.
        problem = error.__cause__.problem or "写法无法识别"
        hint = "请只留一处" if problem.endswith("写了两次") else "请检查这一行和上一行的缩进、引号和括号"
        message = f"不是有效的 YAML：{problem}；{hint}。"
    return (Finding("unreadable", "error", lines[0], (), message),)


def _with_lines(data: bytes | str, found: Sequence[_Found]) -> tuple[Finding, ...]:
    lines = lines_of(data, [flaw.place for flaw, _ in found])
    findings = [
        Finding(flaw.code, flaw.severity, line, flaw.place, flaw.message, path)
        for (flaw, path), line in zip(found, lines, strict=True)
    ]
    return tuple(sorted(findings, key=lambda finding: (finding.line or 0, finding.severity, finding.code)))
