"""Checks of caseloads beside the check before: what is new, still open, settled"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADDED = (
    ("check_run", "pack_version"),
    ("check_run", "compared_with"),
    ("check_run", "counts"),
    ("check_finding", "change"),
)


def upgrade() -> None:
    """Up from the version before."""
    # Text that both databases compare byte by byte.
    text = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
    for table, column in ADDED:
        op.add_column(table, sa.Column(column, text, nullable=True))
    op.create_index(op.f("check_run_region_user_started_at_idx"), "check_run", ["region", "user", "started_at"])


def downgrade() -> None:
    """Back to the version before, which knows nothing of what was settled: such rows would be findings to it."""
    forced = op.get_bind().dialect.name == "postgresql"
    if forced:  # by region, and a migration is of all of them
        op.execute("ALTER TABLE check_finding NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM check_finding WHERE change = 'settled'")
    if forced:
        op.execute("ALTER TABLE check_finding FORCE ROW LEVEL SECURITY")
    op.drop_index(op.f("check_run_region_user_started_at_idx"), table_name="check_run")
    for table, column in reversed(ADDED):
        op.drop_column(table, column)
