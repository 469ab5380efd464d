"""Guard rails: records are added and never changed or deleted, whoever asks the database.

They stop slips and the careless; the tree is the control. The owner can disable a trigger, ``session_replication_role``
does not get past ENABLE ALWAYS, and SQLite's REPLACE, which deletes without a DELETE trigger, meets the INSERT triggers.
A later migration that rebuilds one of these tables on SQLite drops its triggers and has to make them again; a test says so.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Table: what people call its rows, and its key.
_FROZEN = {
    "audit_log": ("审计日志", ("id",)),
    "audit_key": ("审计日志的公钥", ("log", "vkey")),
    "audit_entry": ("审计日志的条目", ("log", "idx")),
    "audit_tile": ("审计日志的瓦片", ("log", "level", "n")),
    "audit_checkpoint": ("审计日志的检查点", ("log", "size")),
    "step": ("办理步骤", ("text_id", "number")),
    "signature": ("签署", ("text_id", "visit", "number")),
    "participation": ("办理人记录", ("text_id", "account_id", "capacity", "round")),
    "text_version": ("文本版本", ("text_id", "number")),
    "blob": ("内容", ("sha256",)),
}
# What stands for good where other columns are filled in or moved later: the key of a log by a rotation, the end of a key,
# the cosignatures and the time stamp of a checkpoint.
_COLUMNS = {
    "audit_log": ("id", "origin", "created"),
    "audit_key": ("log", "vkey", "from_size"),
    "audit_checkpoint": ("log", "size", "note", "created"),
}
# Written with ON CONFLICT DO NOTHING: a second insert is passed over, which also takes the teeth out of a REPLACE.
_PASSED_OVER = ("audit_checkpoint", "blob")
_ADVICE = "没有改动任何内容，请通过 jixiao 的命令办理。"


def _frozen(title: str, table: str) -> str:
    return f"{title}（{table}）只能新增，不能修改、删除或替换；{_ADVICE}"


_OUTBOX = f"待写入的审计事件（audit_outbox）不能修改；{_ADVICE}"
_HEAD = f"审计日志的头部（audit_head）只能向前，不能退回、删除或替换；{_ADVICE}"
_DENSE = f"审计日志的条目（audit_entry）只能接在最后一条之后；{_ADVICE}"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for statement in _sqlite():
            op.execute(statement)
        return
    op.execute(
        "CREATE FUNCTION jixiao_guard() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'JX001'; END $$"
    )
    for table, name, event, condition, message in _postgresql():
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        when = f" WHEN ({condition})" if condition else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each}{when}"
            f" EXECUTE FUNCTION jixiao_guard('{message}')"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for statement in _sqlite():
            op.execute(f"DROP TRIGGER {statement.split()[2]}")
        return
    for table, name, _event, _condition, _message in _postgresql():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute("DROP FUNCTION jixiao_guard()")


def _changed(table: str, operator: str) -> str:
    return " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in _COLUMNS.get(table, ()))


def _ended(table: str) -> str:
    # A key ends once.
    return " OR OLD.until_size IS NOT NULL" if table == "audit_key" else ""


def _postgresql() -> list[tuple[str, str, str, str, str]]:
    triggers = []
    for table, (title, _key) in _FROZEN.items():
        message = _frozen(title, table)
        triggers += [
            (table, f"guard_{table}_update", "UPDATE", _changed(table, "IS DISTINCT FROM") + _ended(table), message),
            (table, f"guard_{table}_delete", "DELETE", "", message),
            (table, f"guard_{table}_truncate", "TRUNCATE", "", message),
        ]
    return [
        *triggers,
        ("audit_outbox", "guard_audit_outbox_update", "UPDATE", "", _OUTBOX),
        ("audit_outbox", "guard_audit_outbox_truncate", "TRUNCATE", "", _OUTBOX),
        ("audit_head", "guard_audit_head_update", "UPDATE", "NEW.n < OLD.n OR NEW.log <> OLD.log", _HEAD),
        ("audit_head", "guard_audit_head_delete", "DELETE", "", _HEAD),
        ("audit_head", "guard_audit_head_truncate", "TRUNCATE", "", _HEAD),
    ]


def _sqlite() -> list[str]:
    statements = []
    for table, (title, key) in _FROZEN.items():
        message = _frozen(title, table)
        changed = _changed(table, "IS NOT") + _ended(table)
        statements += [
            _trigger(table, "update", changed, f"RAISE(ABORT, '{message}')"),
            _trigger(table, "delete", "", f"RAISE(ABORT, '{message}')"),
        ]
        if table != "audit_entry":
            same = " AND ".join(f"{column} = NEW.{column}" for column in key)
            action = "RAISE(IGNORE)" if table in _PASSED_OVER else f"RAISE(ABORT, '{message}')"
            exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 -- names of this module
            statements.append(_trigger(table, "insert", exists, action))
    dense = "NEW.idx IS NOT (SELECT coalesce(max(idx), -1) + 1 FROM audit_entry WHERE log = NEW.log)"
    origin = "EXISTS (SELECT 1 FROM audit_log WHERE origin = NEW.origin AND id <> NEW.id)"
    return [
        *statements,
        _trigger("audit_entry", "insert", dense, f"RAISE(ABORT, '{_DENSE}')"),
        # REPLACE deletes the row of any unique column, not only of the key.
        _trigger("audit_log", "origin", origin, f"RAISE(ABORT, '{_frozen('审计日志', 'audit_log')}')", "INSERT"),
        _trigger("audit_outbox", "update", "", f"RAISE(ABORT, '{_OUTBOX}')"),
        _trigger("audit_head", "update", "NEW.n < OLD.n OR NEW.log <> OLD.log", f"RAISE(ABORT, '{_HEAD}')"),
        _trigger("audit_head", "delete", "", f"RAISE(ABORT, '{_HEAD}')"),
        _trigger(
            "audit_head",
            "insert",
            "EXISTS (SELECT 1 FROM audit_head WHERE log = NEW.log)",
            f"RAISE(ABORT, '{_HEAD}')",
        ),
    ]


def _trigger(table: str, name: str, condition: str, action: str, event: str = "") -> str:
    when = f" WHEN {condition}" if condition else ""
    return (
        f"CREATE TRIGGER guard_{table}_{name} BEFORE {event or name.upper()} ON {table} FOR EACH ROW{when}"
        f" BEGIN SELECT {action}; END"
    )
