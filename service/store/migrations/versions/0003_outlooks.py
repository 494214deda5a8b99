"""What is next for each client, kept for lists; and indexes by which long lists are made fast"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# Whether a case is someone's is asked case by case: an index without the case would be read through each time.
NARROW = (("case_worker", "worker"), ("case_worker", "team"), ("case_party", "party"))


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A column of text that both databases compare byte by byte."""
    return sa.Column(name, sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=nullable)


def upgrade() -> None:
    """Up from the version before. The table begins empty: the service fills it."""
    op.create_table(
        "outlook",
        _text("region"),
        _text("case_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("pack_sha256"),
        _text("made_by"),
        _text("from_day"),
        _text("until_day", nullable=True),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("outlook_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", name=op.f("outlook_pkey")),
    )
    for table, column in NARROW:
        op.drop_index(op.f(f"{table}_region_{column}_idx"), table_name=table)
        op.create_index(op.f(f"{table}_region_{column}_case_id_idx"), table, ["region", column, "case_id"])
    if op.get_bind().dialect.name == "postgresql":
        # No samples to plan queries by: they would outlive what disposal takes away.
        op.execute("ALTER TABLE outlook ALTER COLUMN payload SET STATISTICS 0")
        mine = "region = current_setting('polku.region', true)"
        op.execute("ALTER TABLE outlook ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE outlook FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY outlook_region ON outlook USING ({mine}) WITH CHECK ({mine})")


def downgrade() -> None:
    """Back to the version before."""
    for table, column in NARROW:
        op.drop_index(op.f(f"{table}_region_{column}_case_id_idx"), table_name=table)
        op.create_index(op.f(f"{table}_region_{column}_idx"), table, ["region", column])
    op.drop_table("outlook")
