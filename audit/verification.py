"""Verification of a log: what is stored is derived anew and compared, as deep as the level says (``audit.verdicts.Level``).

``verify`` is the one door. It answers one of four things (``audit.verdicts.Status``) and names the first bad index, or the
range. Each level compares with **every** checkpoint kept outside; all but ``head`` with every stored one, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from audit import blockruns, tiles
from audit.assembly import Assembly
from audit.blocks import BLOCK, Advance, BlockReport, BlockTask
from audit.claims import Claim, ClaimCheck, all_claims, newest_claims, outside_claim, outside_claims
from audit.cosignatures import CosignerKey
from audit.eventchecks import EventCheck, time_checks
from audit.exposure import VerifyToken
from audit.extent import block_bounds, entry_end, report_projection, report_strays
from audit.headcheck import NEWEST, check_head
from audit.journal import MAIN_LOG
from audit.notes import Standing, VerifierKey, parse_vkey
from audit.objects import ObjectChains
from audit.outboxcheck import check_outbox
from audit.rawrows import RawRows
from audit.snapshots import raw_rows, shared, snapshot
from audit.storage import LogIdentity, read_identity
from audit.storedtree import StoredHashes
from audit.tree import EMPTY_ROOT, HASH_BYTES
from audit.trust import Trust
from audit.upperlevels import UpperLevels
from audit.verdicts import Findings, Kind, Level, Problem, Progress, Status, Verdict
from models.errors import Conflict, DatabaseUnavailable, InvalidInput

_MOST_JOBS = 64


def verify(
    engine: sa.Engine,
    *,
    log: str = MAIN_LOG,
    level: Level = Level.FULL,
    trusted: Sequence[str] = (),
    outside: Sequence[str] = (),
    since: str | None = None,
    jobs: int = 1,
    checks: Sequence[EventCheck] = (),
    cosigners: Sequence[CosignerKey] = (),
    verify_token: VerifyToken | None = None,
    mac_key: bytes | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Verification of one consistent snapshot of a log, in bounded memory.

    ``trusted`` are verifier keys known from outside (several after a rotation); without them the database's own are
    believed, and a swapped key can't be seen. ``outside`` are checkpoint notes kept outside the database: the signer's head
    file, an auditor's copy. ``since`` is such a note, of an older verification: what it covers is proved by tiles to be
    unchanged, and only later bodies are read (levels ``tiles`` and ``full``). ``jobs`` processes share the work.

    For ``strict``: ``checks`` are shown every event, ``cosigners`` (keys of witnesses) and ``verify_token`` decide which
    outside stamps the time rule believes. ``mac_key`` checks the events that wait in the outbox. ``progress(done, total)`` is
    called now and then. Raises NotFound for an unknown log and InvalidInput for a key or note that is none, or a combination
    that has no meaning.
    """
    if not 1 <= jobs <= _MOST_JOBS:
        raise InvalidInput(f"进程数应在 1 至 {_MOST_JOBS} 之间；请修改 --jobs。")
    if since is not None and level not in (Level.TILES, Level.FULL):
        raise InvalidInput(f"{level} 级校验不能从旧检查点继续；请去掉 --since，或改用 --level full。")
    keys = [parse_vkey(text) for text in trusted]
    older = None if since is None else outside_claim(since, "作为起点的检查点")
    kept = outside_claims(outside)
    try:
        with snapshot(engine) as work, raw_rows(work) as rows:
            run = _Verification(rows, read_identity(work, log), level, keys)
            if level is Level.HEAD:
                return run.head(kept, mac_key)
            if level is Level.STRICT:
                checks = [*checks, *time_checks(work, log, cosigners, verify_token)]
            blocks = run.tasks(kept, older)
            if blocks is None:
                return run.verdict()
            advance = _advance(progress, run.end)
            if jobs == 1:
                done = blockruns.run_here(rows, blocks, checks, advance)
            else:
                place = shared(engine, rows)
                done = blockruns.run_beside(rows, blocks, checks, advance, shared=place, jobs=jobs)
            return run.join(done, checks, mac_key)
    except (DatabaseUnavailable, Conflict) as error:
        problem = Problem(Kind.UNREADABLE, None, f"无法读完审计日志，因此没有结论：{error.message}")
        return Verdict(False, Status.CANNOT_READ, 0, EMPTY_ROOT, None, (problem,), level=level)


def _advance(progress: Progress | None, total: int) -> Advance | None:
    return None if progress is None else lambda done: progress(done, total)


class _Verification:
    """One run over one snapshot: findings, keys, and the tree as it grows."""

    def __init__(self, rows: RawRows, identity: LogIdentity, level: Level, trusted: Sequence[VerifierKey]) -> None:
        self.rows = rows
        self.log = identity.log
        self.level = level
        self.findings = Findings()
        self.stored = StoredHashes(rows, identity.log)
        self.trust = Trust(rows, identity, trusted, self.stored, self.findings)
        self.claims = ClaimCheck(iter(()), self.trust, self.findings)
        self.start = 0
        self.end = 0
        self.root = EMPTY_ROOT
        self.waiting = 0
        # Claims of the blocks that are under way, in their order.
        self._due: deque[list[Claim]] = deque()
        self._levels = UpperLevels()

    def head(self, kept: list[Claim], mac_key: bytes | None) -> Verdict:
        """The whole of the level ``head``."""
        newest = newest_claims(self.rows, self.log, self.findings, NEWEST)
        claims = sorted([*newest, *kept], key=lambda claim: claim.size)
        self.claims = ClaimCheck(iter(claims), self.trust, self.findings)
        self.end, self.root = check_head(self.stored, self.claims, self.findings)
        return self._finish(mac_key)

    def tasks(self, kept: list[Claim], older: Claim | None) -> Iterator[BlockTask] | None:
        """The blocks to check, or None where there is no use in it: the checkpoint to go on from proves nothing."""
        if self.level is Level.TILES:
            self.end = self.stored.size or 0
        else:
            self.end = entry_end(self.rows, self.log, self.stored)
        if older is not None:
            if not self._begin_at(older, [claim for claim in kept if claim.size < older.size]):
                return None
            kept = [older, *(claim for claim in kept if claim.size >= older.size)]
        kept = sorted(kept, key=lambda claim: claim.size)
        self.claims = ClaimCheck(
            all_claims(self.rows, self.log, kept, self.findings, self.start), self.trust, self.findings
        )
        if self.level is not Level.TILES:
            report_strays(self.rows, self.log, self.end, self.findings)
        for claim in self.claims.upto(0):
            self.claims.compare(claim, claim.root == EMPTY_ROOT)
        return self._tasks()

    def _begin_at(self, older: Claim, before: list[Claim]) -> bool:
        """Takes the tree of an older checkpoint from the tiles; the claim itself confirms it when it is compared."""
        if older.note is None or self.trust.judge(older.note, older.size) is not Standing.SIGNED:
            self.findings.add(
                Kind.UNKNOWN_KEY, None, f"{older.title}没有可信公钥的签名，不能从它继续；请核对公钥，或做完整校验。"
            )
            return False
        if older.size > self.end:
            self.claims = ClaimCheck(iter([older]), self.trust, self.findings)
            self.claims.finish(self.end, self.findings.explains)
            return False
        for claim in before:
            if not self.stored.continues(claim.size, claim.root, older.size, older.root):
                said = f"{claim.title}与{older.title}不能相互证明；历史被改写，或瓦片被改动"
                self.findings.add(Kind.CHECKPOINT, 0, f"{said}，请做完整校验。", older.size)
        self.start = older.size
        low = older.size - older.size % BLOCK
        try:
            self._levels = UpperLevels(low, _edge_at(self.stored, low))
        except ValueError as error:
            said = f"证明前 {older.size} 条没有变化所需的瓦片缺失或残缺（{error}）"
            self.findings.add(Kind.TILE, None, f"{said}；请去掉 --since 做完整校验。")
            return False
        return True

    def _tasks(self) -> Iterator[BlockTask]:
        for low, high in block_bounds(self.start, self.end, BLOCK):
            due = self.claims.upto(high)
            self._due.append(due)
            sizes = tuple(sorted({high, *(claim.size for claim in due)}))
            yield BlockTask(self.log, low, max(low, self.start), high, sizes, self.level)

    def join(
        self, done: Iterable[tuple[BlockTask, BlockReport]], checks: Sequence[EventCheck], mac_key: bytes | None
    ) -> Verdict:
        """Joins the blocks' reports, in their order, and says what comes of it."""
        assembly = Assembly(self.stored, self.claims, self.findings, self._levels)
        chains = ObjectChains(self.findings)
        last_id: str | None = ""
        try:
            for task, report in done:
                assembly.add(task, report, self._due.popleft())
                for key, span in report.objects.items():
                    chains.join(key, span)
                rises = last_id is not None and report.ids is not None and last_id < report.ids[0]
                last_id = report.ids[1] if rises and report.ids else None
            assembly.finish(bodies=self.level is not Level.TILES)
            self.end, self.root = assembly.size, assembly.root
            if self.level is Level.STRICT:
                chains.finish(self.rows, self.log)
                report_projection(self.rows, self.log, self.end, self.findings, rising=last_id is not None)
        finally:
            chains.close()
        for check in checks:
            for problem in check.finish():
                self.findings.add(problem.kind, problem.index, problem.message, problem.until)
        return self._finish(mac_key)

    def _finish(self, mac_key: bytes | None) -> Verdict:
        self.trust.finish()
        if self.claims.proven < 0:
            self.findings.add(
                Kind.UNSIGNED, None, "日志还没有任何有效的检查点，只能看出前后一致，不能证明没有被整体改写；请先签名。"
            )
        self.waiting = check_outbox(self.rows, self.log, mac_key, self.findings)
        return self.verdict()

    def verdict(self) -> Verdict:
        """The verdict on what was found so far."""
        problems = list(self.findings.problems)
        if self.findings.dropped:
            problems.append(Problem(Kind.ENTRY, None, f"另有 {self.findings.dropped} 个问题没有逐一列出。"))
        return Verdict(
            ok=self.findings.status is Status.INTACT,
            status=self.findings.status,
            size=self.end,
            root=self.root,
            first_bad=self.findings.first_bad,
            problems=tuple(problems),
            checkpoints=self.claims.stored,
            outbox=self.waiting,
            signed=max(self.claims.proven, 0),
            level=self.level,
            start=self.start,
        )


def _edge_at(stored: StoredHashes, size: int) -> bytes:
    """The edge of an older size from the tiles that hold it now; raises ValueError where they are missing."""
    parts = []
    level = 1
    while size >> tiles.HEIGHT * level:
        first = size >> tiles.HEIGHT * level
        count = tiles.partial_width(size, level)
        hashes = stored.read(level, first >> tiles.HEIGHT)[: count * HASH_BYTES] if count else b""
        if len(hashes) != count * HASH_BYTES:
            raise ValueError(tiles.tile_path(level, first >> tiles.HEIGHT))
        parts.append(hashes)
        level += 1
    return b"".join(parts)
