"""Who is at the keyboard: passwords, log-ins and access tokens. There is no way to act as somebody else."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from application.attempts import MOST_FAILURES, WINDOW, exhausted
from application.installation import Installation, Person, Request, new_request_id
from application.use_cases import refusals_recorded, use_case
from audit.events import Act, Outcome, Via
from audit.recorder import Detail
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import InvalidInput, JixiaoError, NotAllowed
from models.ids import new_id
from models.people import AccessToken, Account, Organization
from models.prepared import Prepared, insert_into
from workflow.records import standing_of
from workflow.situation import Actor

LOGIN_HOURS = 12
TOKEN_DAYS = 90
_PREFIX = "jx_"
_LOGIN = "login"  # the name of tokens that a log-in makes
# The hash of a word that opens nothing, made with the library's own settings (a test holds them together): trying a password
# for nobody takes as long as trying one for somebody.
NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$WZlpDbtGFPO9rJEgAl2qgw$fhqufTNwOmUZH3OBY5S2Scc6mvo/xdLD/IIy0j5jIJY"

_BY_DIGEST = Prepared(
    sa.select(
        AccessToken.id,
        AccessToken.expires_at,
        AccessToken.revoked_at,
        Account.id,
        Account.login,
        Account.display_name,
        Account.disabled_at,
        Organization.id,
        Organization.name,
        Organization.kind,
    )
    .join_from(AccessToken, Account, AccessToken.account_id == Account.id)
    .join(Organization, Account.organization_id == Organization.id)
    .where(AccessToken.digest == sa.bindparam("digest"))
)
_INSERT_TOKEN = insert_into(AccessToken)
_END_LOG_IN = Prepared(
    sa.update(AccessToken)
    .where(
        AccessToken.digest == sa.bindparam("digest_given"),
        AccessToken.name == _LOGIN,
        AccessToken.revoked_at.is_(None),
    )
    .values(revoked_at=sa.bindparam("moment"))
)
_END_LOG_INS = Prepared(
    sa.update(AccessToken)
    .where(
        AccessToken.account_id == sa.bindparam("account"),
        AccessToken.name == _LOGIN,
        AccessToken.revoked_at.is_(None),
    )
    .values(revoked_at=sa.bindparam("moment"))
)


def token_digest(token: str) -> str:
    """SHA-256 of a token: it has 256 random bits, so a slow hash would only slow its owner."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def authenticate(installation: Installation, token: str | None, *, via: Via = Via.CLI) -> Person:
    """The person of a token; raises NotAllowed where there is none, or it is unknown, expired or revoked.

    Trying a token that was somebody's once is an event; of one that never was there is nothing to say.
    """
    if not token:
        raise NotAllowed("您还没有登录；请先运行 jixiao login，或把访问令牌放进 JIXIAO_TOKEN。")
    now = installation.clock()
    with transaction(installation.engine, read_only=True) as work:
        row = work.one(_BY_DIGEST, digest=token_digest(token))
        if row is None:
            raise NotAllowed("访问令牌无效；请重新运行 jixiao login。")
        token_id, expires, revoked, account_id, login, display, disabled, organization_id, organization, kind = row
        standing = standing_of(work, Actor(account_id, organization_id), now)
    wrong = None
    if revoked is not None:
        wrong = "访问令牌已撤销；请重新运行 jixiao login。"
    elif expires <= now:
        wrong = "访问令牌已过期；请重新运行 jixiao login。"
    elif disabled is not None:
        wrong = "您的账号已停用；请联系系统管理员。"
    if wrong is not None:
        _record_refused_token(installation, account_id, token_id, wrong, now, via)
        raise NotAllowed(wrong)
    return Person(account_id, organization_id, login, display, organization, kind, standing.grants, token_id)


def _record_refused_token(
    installation: Installation, account_id: str, token_id: str, wrong: str, now: datetime, via: Via
) -> None:
    """The event of a token that no longer opens; where nothing can be written, such as on a copy, a line in the program's log."""
    request = new_request_id()
    try:
        installation.require_writable()
        with transaction(installation.engine) as work:
            recorded = installation.recorder(request, via, session=token_id).write(
                work,
                Act.AUTH_FAILURE,
                actor=account_id,
                role="-",
                obj=("token", token_id),
                now=now,
                out=Outcome.DENIED,
                why=wrong,
            )
        installation.settle(recorded.event_id)
    except JixiaoError as error:
        structlog.get_logger("jixiao").error("token", request=request, outcome="not recorded", reason=error.message)


def issue_token(
    work: Work, account_id: str, name: str, *, now: datetime, lifetime: timedelta, token_id: str | None = None
) -> str:
    """A new token of an account; only its digest is stored, so it is shown once. ``token_id`` is what the log calls it."""
    token = _PREFIX + secrets.token_urlsafe(32)
    work.run(
        _INSERT_TOKEN,
        id=token_id or new_id(now),
        account_id=account_id,
        name=name,
        digest=token_digest(token),
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
    )
    return token


def token_details(token_id: str, until: datetime) -> list[Detail]:
    """What the event of a new token tells of it; every event of a request that came with it names it as ``ctx.ses``."""
    return [("/token", None, {"id": token_id, "until": timestamp(until)})]


def hash_password(password: str) -> str:
    """Argon2id hash; raises InvalidInput for a password of under 8 characters."""
    from argon2 import PasswordHasher

    if len(password) < 8:
        raise InvalidInput("口令至少需要 8 个字符。")
    return PasswordHasher().hash(password)


def log_in(installation: Installation, login: str, password: str, *, via: Via = Via.CLI) -> tuple[str, Person]:
    """A log-in with password: a token for half a day. A failure is an event too, and says not which part was wrong.

    After ``MOST_FAILURES`` failures no password is taken for a while; the answer is the same, and tells not that there is such a name.
    """
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    now = installation.clock()
    recorder = installation.recorder(new_request_id(), via)
    token: str | None = None
    installation.require_writable()
    # Failures that have no index yet would not be counted; that they can't get one is no reason to let nobody in.
    with contextlib.suppress(JixiaoError):
        installation.catch_up()
    with transaction(installation.engine, read_only=True) as work:
        found = work.session.scalar(sa.select(Account).where(Account.login == login))
        stored = found.password_hash if found is not None and found.disabled_at is None else None
        locked = found is not None and exhausted(work, found.id, now)
    # Outside the transaction, and as slow for a name that does not exist: nobody waits, and nobody learns who does.
    try:
        ok = PasswordHasher().verify(stored or NOBODYS_HASH, password) and stored is not None and not locked
    except VerificationError:
        ok = False
    with transaction(installation.engine) as work:
        account = work.session.get(Account, found.id) if found is not None else None
        ok = ok and account is not None and account.disabled_at is None and account.password_hash == stored
        # The name that was tried may be a person's password typed in the wrong field: it stays out of the log.
        who = account.id if account is not None else None
        token_id, until = new_id(now), now + timedelta(hours=LOGIN_HOURS)
        too_many: list[Detail] = [("/code", None, "too_many_failures")] if locked else []
        recorded = recorder.write(
            work,
            Act.AUTH_LOGIN if ok else Act.AUTH_FAILURE,
            actor=who or "-",
            role="-",
            obj=("account", who or "unknown"),
            now=now,
            out=Outcome.SUCCESS if ok else Outcome.FAILURE if locked else Outcome.DENIED,
            details=token_details(token_id, until) if ok else too_many,
        )
        if ok and who is not None:
            token = issue_token(work, who, _LOGIN, now=now, lifetime=until - now, token_id=token_id)
    installation.settle(recorded.event_id)
    if token is None:
        minutes = int(WINDOW.total_seconds() // 60)
        raise NotAllowed(
            "登录名或口令不对，或者失败的次数太多；请核对后重试，或用访问令牌登录后运行 jixiao passwd 重设口令。"
            f"{minutes} 分钟内失败 {MOST_FAILURES} 次的账号要等 {minutes} 分钟。"
        )
    return token, authenticate(installation, token, via=via)


@use_case("auth.logout")
def log_out(request: Request, token: str) -> bool:
    """Ends a log-in; False for an access token, which stays valid, since nothing could replace it."""
    installation, now = request.installation, request.now()
    installation.require_writable()
    with transaction(installation.engine) as work:
        if work.run(_END_LOG_IN, digest_given=token_digest(token), moment=now) == 0:
            return False
        recorded = request.recorder.write(
            work,
            Act.AUTH_LOGOUT,
            actor=request.person.account_id,
            role="-",
            obj=("account", request.person.account_id),
            now=now,
        )
    installation.settle(recorded.event_id)
    return True


@use_case("account.password")
def set_password(request: Request, password: str, old: str | None = None) -> None:
    """Sets the person's own password and ends their log-ins; an earlier password must be given as ``old``."""
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    installation, now = request.installation, request.now()
    installation.require_writable()
    hashed = hash_password(password)
    obj = ("account", request.person.account_id)
    with refusals_recorded(request, Act.ACCOUNT_UPDATE, obj), transaction(installation.engine) as work:
        account = work.session.get_one(Account, request.person.account_id)
        if account.password_hash is not None:
            try:
                PasswordHasher().verify(account.password_hash, old or "")
            except VerificationError:
                raise NotAllowed("旧口令不对，口令没有改动。") from None
        elif old is not None:
            raise InvalidInput("还没有设过口令，只需要给出新口令。")
        account.password_hash = hashed
        work.run(_END_LOG_INS, account=account.id, moment=now)
        recorded = request.recorder.write(
            work, Act.ACCOUNT_UPDATE, actor=account.id, role="-", obj=obj, now=now, why="设置口令"
        )
    installation.settle(recorded.event_id)
