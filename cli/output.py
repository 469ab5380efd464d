"""What commands print: JSON, a table on a terminal, tab-separated lines into a pipe. Data on standard output only."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import click
import orjson

from models.base import SHANGHAI, parse_timestamp
from models.readable import visible

# How the log's outcomes are called.
OUTCOMES = {"success": "完成", "denied": "无权", "failure": "未通过"}


def print_json(value: Any) -> None:
    """A JSON value, indented, on standard output."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Rows under Chinese headings; ``empty`` is said (on standard error) where there are none."""
    rows = [["" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    if not rows:
        click.echo(empty, err=True)
        return
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        # Ids and hashes are for copying: a broken one can't be.
        table.add_column(column, overflow="fold", no_wrap=column in ("编号", "时间", "代码"))
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    Console().print(table)


@contextlib.contextmanager
def progress(total: int, title: str) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error while a terminal looks on; gives a function that takes how many are done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def say(message: str) -> None:
    """A message to the person, on standard error."""
    click.echo(visible(message), err=True)


def local_time(stamp: str | datetime | None) -> str:
    """A stored time as people in China read it: ``2021-03-05 09:30``."""
    if stamp is None:
        return ""
    moment = parse_timestamp(stamp) if isinstance(stamp, str) else stamp
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _plain(text: str) -> Any:
    # Data is never read as markup: a cell may hold brackets.
    from rich.text import Text

    return Text(text)
