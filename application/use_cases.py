"""What every use case has in common: one line in the program's log, and an event for a refusal."""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import sqlalchemy as sa
import structlog

from application.installation import Request
from application.looks import record_look
from audit.events import Outcome
from audit.recorder import Detail
from models.engine import Work, transaction
from models.errors import Conflict, GuardFailed, InvalidInput, InvalidTransition, JixiaoError, NotAllowed
from models.people import Account
from models.readable import unseen

P = ParamSpec("P")
R = TypeVar("R")


def use_case(action: str) -> Callable[[Callable[Concatenate[Request, P], R]], Callable[Concatenate[Request, P], R]]:
    """Logs one line per call: request, actor (account id), text, action, outcome, milliseconds. No personal data.

    What an auditor was shown becomes an event of the second log, whichever use case showed it.
    """

    def decorate(function: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R]:
        # Only a text's id is logged: the first argument of other use cases may be a person's name.
        takes_text = list(inspect.signature(function).parameters)[1:2] == ["text_id"]

        def text_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
            found: str | None = (args[0] if args else kwargs.get("text_id")) if takes_text else None
            return found

        @functools.wraps(function)
        def run(request: Request, *args: P.args, **kwargs: P.kwargs) -> R:
            started = time.perf_counter()
            outcome = "crash"
            try:
                result = function(request, *args, **kwargs)
                record_look(request, action, text_of(args, kwargs), kwargs)
                outcome = "success"
            except JixiaoError as error:
                outcome = error.code
                raise
            finally:
                structlog.get_logger("jixiao").info(
                    "use_case",
                    request=request.id,
                    actor=request.person.account_id,
                    text=text_of(args, kwargs),
                    action=kwargs.get("action", action),
                    outcome=outcome,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
            return result

        return cast("Callable[Concatenate[Request, P], R]", run)

    return decorate


# Longer than any reason that anybody wrote, and short enough for an event (audit.md: 16 KiB as a rule).
LONGEST_TYPED = 2_000


def typed(text: str) -> str:
    """What a person typed, trimmed and in NFC: input methods differ in how they compose a character.

    Raises InvalidInput where it is too long, or holds characters that nobody sees.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if len(text) > LONGEST_TYPED:
        raise InvalidInput(f"输入的文字有 {len(text)} 字，最多 {LONGEST_TYPED} 字；请写得简短些，或改在文本中说明。")
    if unseen(text) is not None:
        raise InvalidInput("输入的文字里有不能显示的控制字符；请去掉后重试。")
    return text


@contextlib.contextmanager
def refusals_recorded(
    request: Request,
    act: str,
    obj: tuple[str, str],
    *,
    role: str = "-",
    whom: str | None = None,
    tried: Sequence[Detail] = (),
) -> Iterator[None]:
    """Records a refusal as an event of its own, after the refused transaction was rolled back.

    ``whom`` is the log-in name of somebody to whom something was to be done: the event names the account, never the name.
    ``tried`` are details of what was to be done.
    """
    try:
        yield
    except (NotAllowed, GuardFailed, InvalidTransition, Conflict) as error:
        if "database" in error.facts:
            raise  # the database was busy: nobody refused anything, and to write would be to wait once more
        # A refusal is not written to an old backup either; that the log can't be carried on is then what is said.
        request.installation.require_writable()
        with transaction(request.installation.engine) as work:
            about = _account_details(work, whom) if whom is not None else ()
            event_id = record_refusal(work, request, act, obj, error, role=role, tried=(*tried, *about))
        request.installation.settle(event_id)
        raise


def record_refusal(
    work: Work,
    request: Request,
    act: str,
    obj: tuple[str, str],
    error: JixiaoError,
    *,
    role: str = "-",
    bulk: Mapping[str, Any] | None = None,
    tried: Sequence[Detail] = (),
) -> str | None:
    """The event of a refusal in the caller's transaction, and its id; None for an error that refuses nobody anything."""
    if not isinstance(error, NotAllowed | GuardFailed | InvalidTransition | Conflict):
        return None
    reasons = [str(reason)[:200] for reason in error.facts.get("reasons", [])[:20]]
    recorded = request.recorder.write(
        work,
        act,
        actor=request.person.account_id,
        role=role,
        obj=obj,
        now=request.now(),
        out=Outcome.DENIED if isinstance(error, NotAllowed) else Outcome.FAILURE,
        why=error.message[:1000],
        details=[("/code", None, error.code), *([("/reasons", None, reasons)] if reasons else []), *tried],
        bulk=bulk,
    )
    return recorded.event_id


def _account_details(work: Work, login: str) -> list[Detail]:
    # What was typed may be no log-in name at all, and is personal data where it is one.
    found = work.session.scalar(sa.select(Account.id).where(Account.login == login))
    return [] if found is None else [("/account", None, found)]
