"""Checking an office's own templates: needs no database and nobody who is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from application.appearance import fonts_in
from application.settings import load_settings
from documents.rendering.linting import lint_templates
from documents.rendering.template_set import read_templates
from models.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class TemplateReport:
    """The folder that was checked (None: only the program's own templates), how many files, and ``{file, line, message}``."""

    folder: Path | None
    files: int
    problems: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """``{folder, files, problems}``."""
        return {
            "folder": None if self.folder is None else str(self.folder),
            "files": self.files,
            "problems": list(self.problems),
        }


def check_templates(folder: Path | None = None) -> TemplateReport:
    """What is wrong with the templates of a folder, by default that of the settings; raises InvalidInput for no folder."""
    settings = load_settings()
    chosen = folder or settings.templates
    templates = read_templates(chosen)
    if folder is not None and not templates.own:
        raise InvalidInput(f"文件夹“{folder}”里没有文书模板；应有如 approval/words.xhtml.j2 的文件。")
    problems = lint_templates(templates, fonts=fonts_in(settings))
    return TemplateReport(chosen, len(templates.own), tuple(item.to_json() for item in problems))
