"""Engines that apply a ruleset to facts, behind one protocol. A difference between two of them is an error."""

from rules.engines.base import Engine, EngineDifference, EngineError
from rules.engines.both import CheckedEngine, checked

__all__ = ["CheckedEngine", "Engine", "EngineDifference", "EngineError", "checked"]
