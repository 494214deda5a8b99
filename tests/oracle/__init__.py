"""The test oracle: naive Python per rule, written from the specification's words alone.

It imports nothing from ``rules``, ``statemachines`` or ``service``, so that a mistake those share shows as a
difference.
"""
