"""A place in people's words: 项目“科普经费”的指标“活动场次” 指标值."""

from __future__ import annotations

from documents.checking.wording import owner
from documents.rendering.titles import WHOLE_TEXT, member_title
from models.content import BudgetText


def place_words(content: BudgetText, place: str) -> str:
    """A JSON pointer as the sections on the way and the member's title; the pointer itself where it leads nowhere."""
    tokens = place.split("/")[1:]
    if not tokens:
        return WHOLE_TEXT
    try:
        if tokens[-1].isdigit():
            return owner(content, tokens) or WHOLE_TEXT
        before = owner(content, tokens[:-1])
    except (AttributeError, IndexError, ValueError):
        return place
    lists = [token for token in tokens[:-1] if not token.isdigit()]
    member = member_title(tokens[-1], lists[-1] if lists else "")
    return f"{before} {member}".strip()


def project_name(content: BudgetText, place: str) -> str:
    """The name of the project that a pointer leads into, or "" outside of projects."""
    tokens = place.split("/")[1:]
    if len(tokens) > 1 and tokens[0] == "projects" and tokens[1].isdigit() and int(tokens[1]) < len(content.projects):
        return content.projects[int(tokens[1])].name
    return ""
