"""Which sub-goal a project serves.

Few forms say it (``对应项目：甲、乙。`` as the last line under a sub-goal); else it is inferred from the names. Either is
reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.narrative import PROJECTS_LABEL
from models.content import Project, SubGoal
from models.findings import ReadingFinding

_SUFFIX = re.compile(r"(?:专项|工作|业务|活动|经费|资金|项目|补助|补贴|工程|费用|费)+$")


def linked(
    sub_goals: Sequence[SubGoal],
    projects: Sequence[Project],
    *,
    lines: Mapping[str, int],
    sentence_lines: Mapping[str, int],
) -> tuple[tuple[SubGoal, ...], tuple[ReadingFinding, ...]]:
    """The sub-goals with the ids of the projects whose name, without 经费 and the like, lies in theirs.

    A name that stands there in one piece (confidence 0.85) goes before one whose characters come in order (0.6: 科普 in
    科学技术普及); ``lines`` maps the place of a sub-goal's name to its line, ``sentence_lines`` that of its indicator to its last line. Where two sub-goals fit alike, both are taken with less confidence.
    """
    found: list[list[tuple[str, str, float]]] = [[] for _ in sub_goals]
    written = [_written(goal, projects) for goal in sub_goals]
    for project in projects:
        stem = _SUFFIX.sub("", project.name) or project.name
        scores = [_score(stem, goal.name) for goal in sub_goals]
        best = max(scores, default=0.0)
        fitting = [at for at, score in enumerate(scores) if score == best and best > 0]
        for at in fitting:
            found[at].append((project.id, project.name, best if len(fitting) == 1 else best / 2))
    result: list[SubGoal] = []
    findings: list[ReadingFinding] = []
    for at, (goal, links) in enumerate(zip(sub_goals, found, strict=True)):
        named = written[at]
        if named is not None:
            sentence = goal.indicator.rpartition("\n")[2]
            indicator = goal.indicator[: -len(sentence)].rstrip("\n")
            result.append(goal.model_copy(update={"indicator": indicator, "projects": named}))
            reason = "原文写明了这项目标对应的项目，已读作对应关系，不写入绩效指标。"
            place, line = f"/sub_goals/{at}/projects", sentence_lines.get(f"/sub_goals/{at}/indicator")
            findings.append(finding(FindingCode.PROJECT_LINK_WRITTEN, place, sentence, reason, 1.0, line=line))
            continue
        result.append(goal.model_copy(update={"projects": tuple(link[0] for link in links)}) if links else goal)
        for number, (project_id, name, confidence) in enumerate(links):
            reason = f"原文没有写明对应关系，由项目名称“{name}”与分项目标名称“{goal.name}”相合推定，请确认。"
            place = f"/sub_goals/{at}/projects/{number}"
            findings.append(
                finding(
                    FindingCode.PROJECT_LINK,
                    place,
                    goal.name,
                    reason,
                    confidence,
                    repaired=project_id,
                    line=lines.get(f"/sub_goals/{at}/name"),
                )
            )
    return tuple(result), tuple(findings)


def _written(goal: SubGoal, projects: Sequence[Project]) -> tuple[str, ...] | None:
    """The ids of the projects that the last line under a sub-goal names; None where it names any other, or none."""
    before, _, sentence = goal.indicator.rpartition("\n")
    if not before or not sentence.startswith(PROJECTS_LABEL):
        return None
    names = sentence.removeprefix(PROJECTS_LABEL).strip().removesuffix("。").split("、")
    ids = {project.name: project.id for project in projects}
    return tuple(ids[name] for name in names) if all(name in ids for name in names) else None


def _score(stem: str, name: str) -> float:
    if len(stem) < 2:
        return 0.0
    if stem in name:
        return 0.85
    characters = iter(name)
    return 0.6 if all(char in characters for char in stem) else 0.0
