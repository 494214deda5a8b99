"""Invented caseloads: believable journeys at every stage of the path, with faults planted in some of them.

A journey is tidy by construction, from the words of SPEC §3 and §4; a fault is an edit of it, labelled by those words.
Nothing here imports `rules` or `statemachines`: what is generated is evidence about them. docs/generator.md tells more.
"""
