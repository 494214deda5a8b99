"""Checks of a caseload: journals from wherever they are kept, folded to facts, judged set at a time."""
