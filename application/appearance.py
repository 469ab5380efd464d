"""What the documents of an installation look like: its fonts and its templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from application.installation import Installation
from application.settings import Settings
from documents.rendering import FontSet
from documents.rendering.template_set import SHIPPED, TemplateSet, read_templates


@dataclass(frozen=True)
class Appearance:
    """Fonts (None for those that travel with the program) and templates; it can be sent to another process."""

    fonts: FontSet | None = None
    templates: TemplateSet = SHIPPED


def appearance_of(installation: Installation) -> Appearance:
    """The fonts and templates that the settings name; raises BrokenTemplate where an own template can't be used."""
    settings = installation.settings
    templates = read_templates(settings.templates)
    if templates.own:
        from documents.rendering.linting import require_sound

        require_sound(templates)
    return Appearance(fonts_in(settings), templates)


def fonts_in(settings: Settings) -> FontSet | None:
    """The fonts that the settings name."""
    folder: Path | None = settings.fonts
    return None if folder is None else FontSet(folder)
