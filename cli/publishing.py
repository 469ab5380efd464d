"""What is said beside a public document: what was taken out of it, and what in it looks personal."""

from __future__ import annotations

from application.publishing import PublicationNotes
from cli.output import say
from models.readable import visible


def say_notes(notes: PublicationNotes, *, advice: str) -> None:
    """Both lists on standard error, with places and labels and never a whole value; ``advice`` says what to do about one."""
    if notes.removed:
        say(f"公开稿已去掉 {len(notes.removed)} 处个人信息：")
        for item, title in notes.removed:
            say(f"  {visible(title)}（{visible(item.label)}，{item.place}）")
    if notes.suspicions:
        say(f"注意：公开稿中还有 {len(notes.suspicions)} 处像是个人信息，系统没有改动：")
        for suspect, title in notes.suspicions:
            say(f"  {visible(title)}：{suspect.kind} {visible(suspect.shown)}（{suspect.place}）")
        say(advice)
