"""Attacks 1 to 7 and 9 of audit.md: the history itself is changed, by somebody with all rights in the database.

``intruder`` has no key; ``thief`` has the log's signing key and its head file, too. Each docstring says which level of
verification catches the attack, and what needs a checkpoint outside. The honest office has 378 events: the auditor keeps the
checkpoint of 168, the witness has cosigned that of 368, ten more are not signed yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from intrusion import Event, Intruder, Victim, linked

from application.auditing import Level, Status
from audit.verdicts import Verdict
from models.errors import Conflict, LogCorrupt

Change = Callable[[list[Event]], list[Event]]
LEVELS_BELOW_FULL = (Level.HEAD, Level.TILES)


def kinds(verdict: Verdict) -> set[str]:
    return {problem.kind.value for problem in verdict.problems}


def edited(index: int) -> Change:
    return lambda history: [*history[:index], {**history[index], "why": "系统维护。"}, *history[index + 1 :]]


def deleted(index: int) -> Change:
    return lambda history: [*history[:index], *history[index + 1 :]]


def inserted(index: int) -> Change:
    """An event that never happened, with an id and a time between its neighbours."""

    def change(history: list[Event]) -> list[Event]:
        before, after = history[index - 1], history[index]
        new = {**before, "id": before["id"][:-4] + after["id"][-4:], "ts": before["ts"][:-7] + "999999Z"}
        return [*history[:index], new, *history[index:]]

    return change


def reordered(index: int) -> Change:
    return lambda history: [*history[:index], history[index + 1], history[index], *history[index + 2 :]]


CHANGES = {"edit": edited, "delete": deleted, "insert": inserted, "reorder": reordered}


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> Callable[[int], Change]:
    found: Callable[[int], Change] = CHANGES[request.param]
    return found


# 1 edit a body, 3 delete a row, 4 insert a back-dated row, 5 reorder: one way to do it well, with all hashes.


def test_1_3_4_5_a_history_changed_without_the_key_fails_at_the_signed_heads(
    victim: Victim, intruder: Intruder, change: Callable[[int], Change]
) -> None:
    """Caught by ``head`` already: the newest signed head has another root. ``tiles`` and ``full`` say where."""
    intruder.rewrite(change(victim.hidden))
    for level in Level:
        verdict = victim.inside(level)
        assert verdict.status is Status.TAMPERED, level
        assert "checkpoint" in kinds(verdict)
    found = [(item.index, item.until) for item in victim.inside().problems if item.index is not None]
    low, high = min(found)
    assert low <= victim.hidden < (high or 0)
    assert victim.outside().status is Status.TAMPERED


def test_1_3_4_5_without_the_key_and_without_checkpoints_nothing_is_proved_and_the_head_file_accuses(
    victim: Victim, intruder: Intruder, change: Callable[[int], Change]
) -> None:
    """Removing the checkpoints as well does not help: the head file outside the database accuses; without it, such as on a
    copy of the database alone, the answer is *not provable* and never *intact*. Writers stop at once.
    """
    intruder.rewrite(change(victim.hidden))
    intruder.forget_checkpoints()
    assert victim.inside().status is Status.TAMPERED
    with pytest.raises(LogCorrupt, match=r"不符|旧备份"):
        victim.installation.require_writable()
    intruder.lose_head_file()
    assert victim.inside().status is Status.NOT_PROVABLE
    assert victim.outside().status is Status.TAMPERED


def test_1_3_4_5_the_key_s_thief_is_seen_only_against_a_checkpoint_outside(
    victim: Victim, thief: Intruder, change: Callable[[int], Change]
) -> None:
    """Everything inside agrees, at every level: honest about that. The auditor's checkpoint catches it, and so does the
    witness, which refuses to cosign what does not continue its last head.
    """
    thief.rewrite(change(victim.hidden))
    for level in Level:
        assert victim.inside(level).ok, level
    for level in Level:
        assert victim.outside(level=level).status is Status.TAMPERED, level
    note = victim.installation.signer.last_head()
    assert note is not None
    assert victim.asked(victim.size_of(victim.late), note.note).status == 422


def test_1_3_4_5_what_is_changed_behind_the_outside_head_needs_a_newer_one(
    victim: Victim, thief: Intruder, change: Callable[[int], Change]
) -> None:
    """The exposed window: the auditor's old checkpoint does not reach so far, the witness's newer one does."""
    thief.rewrite(change(victim.size_of(victim.early) + 20))
    assert victim.outside(victim.early).ok
    assert victim.outside(victim.early, victim.late).status is Status.TAMPERED


# The same, done with less care.


@pytest.mark.parametrize("key", [False, True], ids=["without the key", "with the key"])
def test_1_an_edited_body_alone_is_named_by_full_and_not_looked_at_by_tiles(
    victim: Victim, intruder: Intruder, thief: Intruder, key: bool
) -> None:
    """Caught by ``full``, which names the entry; ``head`` and ``tiles`` read no bodies and say so. The key changes nothing
    as long as the tree stands: signing anew signs the old root.
    """
    body = intruder.bodies()[victim.hidden].replace("无权".encode(), "有权".encode())
    intruder.run("UPDATE audit_entry SET body = :b WHERE log = 'main' AND idx = :i", b=body, i=victim.hidden)
    assert thief.key is not None
    if key:
        victim.installation.settle(checkpoint=True)
    for level in LEVELS_BELOW_FULL:
        assert victim.inside(level).ok, level
    for level in (Level.FULL, Level.STRICT):
        verdict = victim.inside(level)
        assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, victim.hidden)


@pytest.mark.parametrize("key", [False, True], ids=["without the key", "with the key"])
def test_2_an_edited_projection_is_seen_by_strict_only(
    victim: Victim, intruder: Intruder, thief: Intruder, key: bool
) -> None:
    """Caught by ``strict``: the projection is for queries and no level before reads it. No key matters, nothing is signed."""
    intruder.run("UPDATE audit_projection SET out = 'success' WHERE log = 'main' AND idx = :i", i=victim.hidden)
    if key:
        thief.sign_anew()
    for level in (*LEVELS_BELOW_FULL, Level.FULL):
        assert victim.inside(level).ok, level
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, victim.hidden)
    assert kinds(verdict) == {"projection"}


def test_3_a_deleted_row_leaves_a_gap_that_is_named(victim: Victim, intruder: Intruder) -> None:
    """Caught by ``full``, by name."""
    intruder.run("DELETE FROM audit_entry WHERE log = 'main' AND idx = :i", i=victim.hidden)
    assert victim.inside().first_bad == victim.hidden


def test_3_a_thief_who_forgets_the_links_of_the_object_is_seen_inside(victim: Victim, thief: Intruder) -> None:
    """Caught by ``strict`` although all is signed anew: the object's versions have a hole, and a link leads nowhere."""
    bodies = thief.bodies()
    thief.store([*bodies[: victim.hidden], *bodies[victim.hidden + 1 :]])
    thief.sign_anew()
    assert victim.inside().ok
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, victim.hidden)
    assert "object" in kinds(verdict)


def test_4_a_copy_of_an_event_is_seen_inside_by_its_id(victim: Victim, thief: Intruder) -> None:
    """Caught by ``strict`` although all is signed anew: the rows for queries have one id only once, so that the thief has to
    leave one out, and ``strict`` misses it.
    """
    history = thief.history()
    copied = victim.hidden + 40
    doubled = linked([*history[:copied], history[victim.hidden], *history[copied:]])
    with pytest.raises(Conflict):
        thief.store(doubled)
    thief.store(doubled, unindexed=(copied,))
    thief.sign_anew()
    assert victim.inside().ok
    verdict = victim.inside(Level.STRICT)
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, copied)
    assert kinds(verdict) == {"projection"}


# 6, 7 truncation.


def cut(left: int) -> Change:
    return lambda history: history[:left]


def test_6_a_tail_cut_to_before_the_outside_head_is_seen(victim: Victim, intruder: Intruder) -> None:
    """Without the key ``head`` catches it: signed heads are larger than the log."""
    intruder.rewrite(cut(victim.size_of(victim.early) - 10))
    for level in Level:
        assert victim.inside(level).status is Status.TAMPERED, level
    verdict = victim.outside()
    assert verdict.status is Status.TAMPERED
    assert "截断" in " ".join(problem.message for problem in verdict.problems)


def test_6_with_the_key_only_the_outside_head_proves_the_cut(victim: Victim, thief: Intruder) -> None:
    """The outside checkpoint proves that there once was more; inside, everything agrees."""
    left = victim.size_of(victim.early) - 10
    thief.rewrite(cut(left))
    for level in Level:
        assert victim.inside(level).ok, level
    verdict = victim.outside()
    assert (verdict.status, verdict.first_bad) == (Status.TAMPERED, left)
    head = victim.installation.signer.last_head()
    assert head is not None
    assert victim.asked(victim.size_of(victim.late), head.note).status in (400, 409)


def test_7_a_late_cut_without_the_key_fails_at_the_newest_signature(victim: Victim, intruder: Intruder) -> None:
    """Cut to after the auditor's head and before the newest checkpoint: stored checkpoints and the head file catch it."""
    intruder.rewrite(cut(victim.size_of(victim.early) + 50))
    assert victim.inside().status is Status.TAMPERED
    intruder.forget_checkpoints(beyond=victim.size_of(victim.early) + 50)
    assert victim.inside().status is Status.TAMPERED, "the head file knows more"
    intruder.lose_head_file()
    assert victim.inside().status is Status.NOT_PROVABLE, "a head file that is missing beside its key is told"
    victim.installation.signer.path.unlink()
    assert victim.inside().ok, "a copy without the keys knows no more"
    assert victim.outside(victim.late).status is Status.TAMPERED


def test_7_events_that_nobody_has_signed_yet_can_be_cut_without_a_key(victim: Victim, intruder: Intruder) -> None:
    """Not caught, and honest about it: the last ten events stand behind the newest signature, at most
    ``checkpoint_seconds`` long. Once they are signed the cut is seen.
    """
    size = victim.size_of(victim.late)
    intruder.rewrite(cut(size))
    for level in Level:
        assert victim.inside(level).ok, level
    assert victim.outside(victim.early, victim.late).ok


def test_7_once_signed_they_can_not(victim: Victim) -> None:
    """The other direction of the test before."""
    victim.installation.settle(checkpoint=True)
    Intruder(victim).rewrite(cut(victim.size_of(victim.late)))
    assert victim.inside().status is Status.TAMPERED


def test_7_a_late_cut_with_the_key_is_not_seen_by_the_old_outside_head_and_is_by_a_newer_one(
    victim: Victim, thief: Intruder
) -> None:
    """Nothing inside and no older checkpoint can show it; the checkpoint that the witness cosigned last does."""
    thief.rewrite(cut(victim.size_of(victim.early) + 50))
    for level in Level:
        assert victim.inside(level).ok, level
        assert victim.outside(victim.early, level=level).ok, level
    for level in Level:
        assert victim.outside(victim.late, level=level).status is Status.TAMPERED, level


# 9 a fork.


def test_9_without_the_key_there_is_no_second_signed_history(victim: Victim, intruder: Intruder) -> None:
    """The signer refuses to sign another root of a size that it has signed: it reads the file outside the database."""
    victim.installation.settle(checkpoint=True)
    intruder.rewrite(edited(victim.hidden))
    with pytest.raises(LogCorrupt, match=r"拒绝签名.*根却与已签的不同"):
        victim.installation.sign(now=victim.installation.clock())
    assert victim.inside().status is Status.TAMPERED


def test_9_of_two_histories_of_one_size_each_is_whole_and_each_convicts_the_other(
    copy: Callable[[], Victim],
) -> None:
    """With the key two offices can be shown two histories. Each passes alone, at every level; either one's checkpoint
    beside the other's log shows the fork, and the witness cosigns only one of them.
    """
    shown = []
    for number in range(2):
        victim = copy()
        thief = Intruder(victim, victim.installation.signer)
        thief.rewrite(edited(victim.size_of(victim.late) + number))
        shown.append((victim, thief.sign_anew()))
    (first, note), (second, other) = shown
    assert first.size_of(note) == second.size_of(other)
    for victim in (first, second):
        for level in Level:
            assert victim.inside(level).ok, level
    assert first.outside(other).status is Status.TAMPERED
    assert second.outside(note).status is Status.TAMPERED
    assert first.asked(first.size_of(first.late), note).status == 200
    assert replace(second, witness=first.witness).asked(first.size_of(note), other).status == 409


def test_an_honest_office_is_intact_inside_and_outside(victim: Victim) -> None:
    """What all the others are compared with."""
    for level in Level:
        assert victim.inside(level).ok, level
        assert victim.outside(victim.early, victim.late, level=level).ok, level
        assert victim.inside(level).problems == ()
