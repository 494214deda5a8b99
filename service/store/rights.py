"""Who may do what in PostgreSQL: the application and outside auditors; whoever migrates owns the tables.

Migrating gives these rights anew each time, and takes all others from the two roles. SQLite has no roles.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from service.store.errors import StoreError

APP = "polku_app"
AUDITOR = "polku_auditor"

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_ANY = "SELECT, INSERT, UPDATE, DELETE"

#: What the application's role may do with each table. Disposal and pruning are the owner's.
APPLICATION_RIGHTS = {
    "alembic_version": _READ,
    "region": _ADD,
    "case_record": "SELECT, INSERT, UPDATE (version, header, closed_on, restricted)",
    "link": _ADD,
    "entry": _ADD,
    "decision": _ADD,
    "event": _ADD,
    "read_log": _ADD,
    "read_of": _ADD,
    "pack": _ADD,
    "emergency": _ADD,
    "account": "SELECT, INSERT, UPDATE",
    "identity": _ANY,
    "case_worker": _ANY,
    "case_party": _ANY,
    "case_facts": _ANY,
    "outlook": _ANY,
    "session": _ANY,
    "request_key": _ANY,
    "check_run": _ANY,
    "check_finding": _ANY,
}

#: What an outside auditor's role may do: read what the chains commit to, and nothing of who the clients are.
AUDITOR_RIGHTS = dict.fromkeys(
    ("alembic_version", "region", "case_record", "link", "entry", "decision", "event", "read_log", "read_of", "pack"),
    _READ,
)


def grant(connection: Connection) -> None:
    """Give the roles their rights to the tables there are. Raises StoreError when a role is missing and cannot be made.

    A role made here cannot log in; the operator lets it (docs/store.md).
    """
    if connection.dialect.name != "postgresql":
        return
    tables = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")))
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    for role, rights in ((APP, APPLICATION_RIGHTS), (AUDITOR, AUDITOR_RIGHTS)):
        _make_sure_of(connection, role)
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
        for table in sorted(tables & rights.keys()):
            connection.execute(text(f"GRANT {rights[table]} ON {table} TO {role}"))


def _make_sure_of(connection: Connection, role: str) -> None:
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        return
    may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not connection.scalar(text(may)):
        raise StoreError(f"the role {role} is missing, and this user may not make it; see docs/store.md")
    connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
