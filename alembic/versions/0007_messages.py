"""Notices, deliveries, addresses and preferences; a message notes when it was told.

Messages from before are told already: nobody wants to hear of last year's steps after an upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ADVICE = "没有改动任何内容，请通过 jixiao 的命令办理。"
_NOTICE = f"消息（notice）只能新增，内容不能修改、删除或替换；{_ADVICE}"
# A notice may be read and may come into a digest; what it says stands.
_FIXED = ("id", "account_id", "kind", "text_id", "key", "body", "mode", "created_at")


def upgrade() -> None:
    with op.batch_alter_table("message") as table:
        table.add_column(sa.Column("told_at", _TIME, nullable=True))
    op.execute("UPDATE message SET told_at = created_at")
    _partial("ix_message_untold", "message", ["id"], "told_at IS NULL")
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("digested_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_account_id_account")),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_notice_text_id_budget_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index("ix_notice_account_id_id", "notice", ["account_id", "id"])
    _partial("ix_notice_undigested", "notice", ["account_id", "id"], "mode = 'digest' AND digested_at IS NULL")
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("text_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_delivery_account_id_account")),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_delivery_text_id_budget_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("channel", "key", name=op.f("uq_delivery_channel_key")),
    )
    _partial("ix_delivery_due", "delivery", ["channel", "due_at"], "finished_at IS NULL")
    _partial("ix_delivery_unreported", "delivery", ["finished_at"], "finished_at IS NOT NULL AND event_id IS NULL")
    _partial("ix_delivery_dead", "delivery", ["finished_at"], "status = 'dead'")
    op.create_index("ix_delivery_text_id_account_id", "delivery", ["text_id", "account_id"])
    op.create_table(
        "contact",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_contact")),
    )
    op.create_table(
        "notice_preference",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_preference_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_notice_preference")),
    )
    op.create_table(
        "channel_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("off_at", _TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel_state")),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("done_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("job", "period", name=op.f("pk_job_run")),
    )
    for statement in _sqlite() if op.get_context().dialect.name == "sqlite" else _postgresql():
        op.execute(statement)


def downgrade() -> None:
    # The triggers go with their table; the function that they call is migration 0004's.
    for table in ("job_run", "channel_state", "notice_preference", "contact", "delivery", "notice"):
        op.drop_table(table)
    op.drop_index("ix_message_untold", "message")
    with op.batch_alter_table("message") as table:
        table.drop_column("told_at")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _postgresql() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _FIXED)
    statements = []
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        name, each = f"guard_notice_{event.lower()}", "STATEMENT" if event == "TRUNCATE" else "ROW"
        when = f" WHEN ({changed})" if event == "UPDATE" else ""
        calls = f"EXECUTE FUNCTION jixiao_guard('{_NOTICE}')"
        statements += [
            f"CREATE TRIGGER {name} BEFORE {event} ON notice FOR EACH {each}{when} {calls}",
            f"ALTER TABLE notice ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _sqlite() -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _FIXED)
    return [
        f"CREATE TRIGGER guard_notice_{name} BEFORE {name.upper()} ON notice FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE({action}); END"
        for name, when, action in (
            ("update", f" WHEN {changed}", f"ABORT, '{_NOTICE}'"),
            ("delete", "", f"ABORT, '{_NOTICE}'"),
            # Written with ON CONFLICT DO NOTHING: a second insert is passed over, which also takes the teeth out of a REPLACE.
            ("insert", " WHEN EXISTS (SELECT 1 FROM notice WHERE id = NEW.id OR key = NEW.key)", "IGNORE"),
        )
    ]
