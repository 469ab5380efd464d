"""Runs the checks of a log's blocks, here or in several processes; the reports come in the order of the log either way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from audit.blocks import Advance, BlockReport, BlockTask, check_block
from audit.eventbatches import valid_events
from audit.eventchecks import EventCheck
from audit.rawrows import RawRows
from audit.snapshots import SharedSnapshot
from audit.storedtree import read_bodies
from audit.verdicts import Level
from models.errors import DatabaseUnavailable, JixiaoError

Done = tuple[BlockTask, BlockReport]


def run_here(
    rows: RawRows, tasks: Iterable[BlockTask], checks: Sequence[EventCheck], advance: Advance | None
) -> Iterator[Done]:
    """Checks the blocks one after the other in this process."""
    for task in tasks:
        yield task, check_block(rows, task, checks, advance)


def run_beside(
    rows: RawRows,
    tasks: Iterable[BlockTask],
    checks: Sequence[EventCheck],
    advance: Advance | None,
    *,
    shared: SharedSnapshot,
    jobs: int,
) -> Iterator[Done]:
    """Checks the blocks in ``jobs`` processes, each on its own connection; ``checks`` see the events in this one.

    Raises DatabaseUnavailable where a process ends before its answer: what nobody has checked is not intact.
    """
    # A forked process would share open connections and locks with this one.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        under_way: deque[tuple[BlockTask, Future[BlockReport | str]]] = deque()
        coming = iter(tasks)
        try:
            while True:
                # Few blocks ahead: enough to keep all processes busy, not more than memory should hold.
                while len(under_way) <= jobs and (task := next(coming, None)) is not None:
                    under_way.append((task, pool.submit(_check, shared, task)))
                if not under_way:
                    return
                task, future = under_way.popleft()
                _show(rows, task, checks)
                report = future.result()
                if isinstance(report, str):
                    raise DatabaseUnavailable(report)
                if advance is not None:
                    advance(task.high)
                yield task, report
        except BrokenProcessPool as error:
            raise DatabaseUnavailable("一个校验进程意外退出（例如内存不足）；请减少 --jobs 后重试。") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _check(shared: SharedSnapshot, task: BlockTask) -> BlockReport | str:
    """A block's report, or why it could not be read: errors with facts do not pass between processes."""
    try:
        with shared.open() as rows:
            return check_block(rows, task)
    except JixiaoError as error:
        return error.message


def _show(rows: RawRows, task: BlockTask, checks: Sequence[EventCheck]) -> None:
    if not checks or task.level is not Level.STRICT:
        return
    # What is no event is reported by the process that checks the block.
    for index, event in valid_events(read_bodies(rows, task.log, task.start, task.high)):
        for check in checks:
            check.see(index, event)
