"""What law and service model say about a client's path to work, and the engines that apply it.

One pure function: journal + date + rule pack -> assessment. See `rules.assessment.Assessor`.
"""
