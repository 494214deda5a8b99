"""What makes records tamper-evident: canonical bytes, hash chains, signed checkpoints, exports for auditors.

docs/audit.md says what it proves and what it cannot. Nothing in here knows a database: what is kept comes in as links
in order, so the same checks run on any store.
"""
