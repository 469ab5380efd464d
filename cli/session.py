"""What commands share: the settings, the opened installation, and the person at the keyboard."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import structlog

from application.identity import authenticate
from application.installation import Installation, Request, new_request_id, open_installation
from application.settings import Settings, load_settings
from models.errors import InvalidInput
from models.openable import require_no_pipe

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")


def configure_log(level: str | None = None) -> None:
    """The program's own log, on standard error: for people on a terminal, JSON lines otherwise."""
    wanted = (level or os.environ.get("JIXIAO_LOG_LEVEL") or "info").upper()
    number = logging.getLevelNamesMapping().get(wanted)
    if number is None:
        raise InvalidInput(f"JIXIAO_LOG_LEVEL“{wanted}”无法识别；可以用 debug、info、warning、error。")
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def current_settings(home: Path | None = None) -> Settings:
    """Settings of this call."""
    configure_log()
    return load_settings(home=home)


def current_installation() -> Installation:
    """The installation of this call."""
    return open_installation(current_settings())


def current_token(settings: Settings) -> str | None:
    """The token of this call: JIXIAO_TOKEN first, else the one that ``jixiao login`` kept."""
    if settings.token:
        return settings.token
    try:
        return settings.session_file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def current_request() -> Request:
    """A request of the person at the keyboard."""
    installation = current_installation()
    person = authenticate(installation, current_token(installation.settings))
    return Request(installation, person, new_request_id())


def with_request(function: F) -> Callable[..., Any]:
    """Gives a command the request as its first argument."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        request = current_request()
        result = function(request, *args, **kwargs)
        _warn_of_lag(request.installation)
        return result

    return run


def _warn_of_lag(installation: Installation) -> None:
    if installation.engine.dialect.name == "sqlite":
        return
    from application.lagging import alarm

    sentence = alarm(installation)
    if sentence:
        click.echo(sentence, err=True)


# Larger than any text or definition that people have; what never ends is not read to its end.
LARGEST = 64 * 1024 * 1024


def _limited(path: str, data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise InvalidInput(f"“{path}”超过 {LARGEST // 1024 // 1024} MB；请确认选对了文件。")
    return data


def read_input(path: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``; raises InvalidInput with what to do."""
    if path == "-":
        if sys.stdin is None:
            raise InvalidInput("标准输入已关闭；请用管道或 < 给出内容。")
        return _limited(path, sys.stdin.buffer.read(LARGEST + 1))
    file = Path(path)
    if file.is_dir():
        raise InvalidInput(f"“{path}”是文件夹；请指定一个文件。")
    require_no_pipe(file)
    try:
        with file.open("rb") as opened:
            return _limited(path, opened.read(LARGEST + 1))
    except FileNotFoundError:
        raise InvalidInput(f"没有文件“{path}”；请检查路径。") from None
    except OSError as error:
        raise InvalidInput(f"不能读取“{path}”（{error.strerror}）；请检查权限。") from error
