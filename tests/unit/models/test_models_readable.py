"""Text that people can read: what stored texts may hold, and how a terminal shows what was never held against that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.readable import unseen, visible


def test_what_would_steer_a_terminal_is_shown_as_a_sign() -> None:
    assert visible("\x1b[31m图书馆\x07\u202etxt.exe\u200b\udcff\x9b2J") == "�[31m图书馆��txt.exe���2J"
    assert visible("图书馆\n二\t三") == "图书馆\n二\t三"


@given(st.text(st.characters()))
def test_nothing_unseen_is_left_and_the_rest_stays(text: str) -> None:
    shown = visible(text)
    assert unseen(shown) is None
    assert len(shown) == len(text)
    assert all(one == other or other == "\ufffd" for one, other in zip(text, shown, strict=True))
