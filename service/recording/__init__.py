"""Recording: a list of entries becomes part of a case, with the decision that says what was known and advised.

docs/recording.md tells what is recorded and why. `judging` and `record` are pure; `recorder` is the use case.
"""
