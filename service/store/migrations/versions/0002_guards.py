"""What both databases refuse: changes of what is kept for good, links that follow no link, another region's rows."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FOR_GOOD = ("link", "entry", "decision", "event", "read_log", "read_of", "pack")
BY_REGION = (
    "account", "case_facts", "case_party", "case_record", "case_worker", "check_finding", "check_run", "decision",
    "emergency", "entry", "event", "identity", "link", "read_log", "read_of", "request_key", "session",
)  # fmt: skip

# What disposal takes away. The server keeps samples of columns to plan queries by; of these it must not, or they would
# outlive the rows.
UNSAMPLED = {
    "case_record": ("header",),
    "entry": ("entry_id", "salt", "payload"),
    "decision": ("salt", "payload"),
    "event": ("salt", "payload"),
    "read_log": ("salt", "payload"),
    "identity": ("data",),
    "case_party": ("party",),
    "case_facts": ("facts",),
    "check_finding": ("payload",),
    "request_key": ("key",),
}

# A case's records may be deleted once its chain says so; that it does stays for good.
DISPOSED = """EXISTS (
    SELECT 1 FROM link l WHERE l.region = OLD.region AND l.chain = OLD.chain AND l.kind = 'disposed')"""
# A reader's log may be deleted up to where a later link says so.
PRUNED = """EXISTS (
    SELECT 1 FROM link l JOIN read_log r ON r.region = l.region AND r.chain = l.chain AND r.seq = l.seq
    WHERE l.region = OLD.region AND l.chain = OLD.chain AND l.kind = 'pruned'
    AND l.seq > OLD.seq AND {through} >= OLD.seq)"""
FOLLOWS = """NOT EXISTS (SELECT 1 FROM link l WHERE l.region = NEW.region AND l.chain = NEW.chain AND l.seq >= NEW.seq)
    AND (NEW.seq = 1 AND NEW.prev = '0000000000000000000000000000000000000000000000000000000000000000' OR EXISTS (
        SELECT 1 FROM link l WHERE l.region = NEW.region AND l.chain = NEW.chain
        AND l.seq = NEW.seq - 1 AND l.hash = NEW.prev))"""
THERE = """EXISTS (
    SELECT 1 FROM {table} o WHERE o.region = NEW.region AND o.chain = NEW.chain AND o.seq = NEW.seq)"""
# The version goes up one by one; the rest of these never changes, and after disposal nothing does.
STANDS = """NEW.region = OLD.region AND NEW.id = OLD.id AND NEW.chain = OLD.chain AND NEW.created_at = OLD.created_at
    AND NEW.version IN (OLD.version, OLD.version + 1) AND OLD.disposed_at IS NULL"""


def deletable(table: str, through: str) -> str | None:
    """When a row of the table may be deleted, as a condition on OLD; None: never."""
    if table in ("entry", "decision"):
        return DISPOSED
    if table == "event":
        return f"OLD.kind <> 'disposed' AND {DISPOSED}"
    if table in ("read_log", "read_of"):
        return PRUNED.format(through=through)
    return None


def upgrade() -> None:
    """Triggers in both databases; row-level security in PostgreSQL."""
    if op.get_bind().dialect.name == "postgresql":
        _up_postgresql()
    else:
        _up_sqlite()


def downgrade() -> None:
    """Take the triggers and row-level security away."""
    if op.get_bind().dialect.name == "postgresql":
        _down_postgresql()
    else:
        _down_sqlite()


# ---- SQLite


def _up_sqlite() -> None:
    for table in FOR_GOOD:
        _refuse(table, "update", "UPDATE", "", f"{table} is append-only")
        allowed = deletable(table, "json_extract(r.payload, '$.through')")
        _refuse(table, "delete", "DELETE", f"WHEN NOT ({allowed})" if allowed else "", f"{table} is append-only")
        if table in ("entry", "decision", "event", "read_log"):
            # INSERT OR REPLACE asks no trigger that refuses deletes, unless the connection asks for it.
            there = THERE.replace("{table}", table)
            _refuse(table, "replace", "INSERT", f"WHEN {there}", f"{table} is append-only")
    _refuse("link", "insert", "INSERT", f"WHEN NOT ({FOLLOWS})", "a link follows the last of its chain")
    _refuse("case_record", "update", "UPDATE", f"WHEN NOT ({STANDS})", "this of a case does not change")
    _refuse("case_record", "delete", "DELETE", "", "a case is never deleted")
    op.execute(
        "CREATE TRIGGER link_region AFTER INSERT ON link WHEN NEW.seq = 1 BEGIN"
        " INSERT INTO region (name) SELECT NEW.region"
        " WHERE NOT EXISTS (SELECT 1 FROM region WHERE name = NEW.region); END"
    )


def _refuse(table: str, name: str, action: str, condition: str, message: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{name} BEFORE {action} ON {table} {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _down_sqlite() -> None:
    names = [f"{table}_no_{action}" for table in FOR_GOOD for action in ("update", "delete", "replace")]
    names += ["link_no_insert", "case_record_no_update", "case_record_no_delete", "link_region"]
    for name in names:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")


# ---- PostgreSQL


def _up_postgresql() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for table in FOR_GOOD:
        allowed = deletable(table, "(r.payload::json ->> 'through')::bigint")
        back = f"IF TG_OP = 'DELETE' AND {allowed} THEN RETURN OLD; END IF;" if allowed else ""
        _guard(schema, table, "kept", "BEFORE UPDATE OR DELETE", f"{back} {_refusal('% is append-only')}")
    _guard(
        schema, "link", "follows", "BEFORE INSERT",
        f"IF {FOLLOWS} THEN RETURN NEW; END IF; {_refusal('%: a link follows the last of its chain')}",
    )  # fmt: skip
    _guard(
        schema, "link", "region", "AFTER INSERT",
        "IF NEW.seq = 1 THEN INSERT INTO region (name) VALUES (NEW.region) ON CONFLICT DO NOTHING; END IF;"
        " RETURN NULL;",
    )  # fmt: skip
    _guard(
        schema, "case_record", "stands", "BEFORE UPDATE OR DELETE",
        f"IF TG_OP = 'UPDATE' AND {STANDS} THEN RETURN NEW; END IF; {_refusal('%: this of a case does not change')}",
    )  # fmt: skip
    op.execute(_function(schema, "polku_not_emptied", _refusal("% is not emptied")))
    for table in (*FOR_GOOD, "case_record"):
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION polku_not_emptied()"
        )
    _sample("0")
    mine = "region = current_setting('polku.region', true)"
    for table in BY_REGION:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_region ON {table} USING ({mine}) WITH CHECK ({mine})")


def _sample(target: str) -> None:
    for table, columns in UNSAMPLED.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}")


def _refusal(message: str) -> str:
    # restrict_violation: the store reads the code, not the text.
    return f"RAISE EXCEPTION '{message}', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"


def _function(schema: str, name: str, body: str) -> str:
    # A search path of its own: nobody's temporary table stands in for one of these tables.
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp"
        f" AS $polku$ BEGIN {body} END $polku$"
    )


def _guard(schema: str, table: str, name: str, when: str, body: str) -> None:
    op.execute(_function(schema, f"polku_{table}_{name}", body))
    op.execute(f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION polku_{table}_{name}()")


def _down_postgresql() -> None:
    _sample("-1")
    for table in BY_REGION:
        op.execute(f"DROP POLICY {table}_region ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    # With a function goes its trigger.
    names = [f"polku_{table}_kept" for table in FOR_GOOD]
    for name in (*names, "polku_link_follows", "polku_link_region", "polku_case_record_stands", "polku_not_emptied"):
        op.execute(f"DROP FUNCTION {name}() CASCADE")
