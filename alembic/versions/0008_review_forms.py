"""Filled review forms; they are added and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MESSAGE = "审核表（review_form）只能新增，不能修改、删除或替换；没有改动任何内容，请通过 jixiao 的命令办理。"
_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "review_form",
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("number", _INTEGER, autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", _INTEGER, nullable=False),
        sa.Column("version", _INTEGER, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("principal_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_review_form_text_id_budget_text")),
        sa.ForeignKeyConstraint(["shape"], ["blob.sha256"], name=op.f("fk_review_form_shape_blob")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_review_form_account_id_account")),
        sa.ForeignKeyConstraint(["principal_id"], ["account.id"], name=op.f("fk_review_form_principal_id_account")),
        sa.PrimaryKeyConstraint("text_id", "number", name=op.f("pk_review_form")),
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    for statement in _sqlite() if sqlite else _postgresql():
        op.execute(statement)


def downgrade() -> None:
    # The triggers go with their table; the function that they call is migration 0004's.
    op.drop_table("review_form")


def _postgresql() -> list[str]:
    statements = []
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        name, each = f"guard_review_form_{event.lower()}", "STATEMENT" if event == "TRUNCATE" else "ROW"
        statements += [
            (
                f"CREATE TRIGGER {name} BEFORE {event} ON review_form FOR EACH {each}"
                f" EXECUTE FUNCTION jixiao_guard('{_MESSAGE}')"
            ),
            f"ALTER TABLE review_form ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _sqlite() -> list[str]:
    exists = "EXISTS (SELECT 1 FROM review_form WHERE text_id = NEW.text_id AND number = NEW.number)"
    return [
        f"CREATE TRIGGER guard_review_form_{name} BEFORE {name.upper()} ON review_form FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        for name, when in (("update", ""), ("delete", ""), ("insert", f" WHEN {exists}"))
    ]
