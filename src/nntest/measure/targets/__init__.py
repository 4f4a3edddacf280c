"""Targets: how to compile, how to run, and what the platform is, where that is not simply this machine."""

from nntest.measure.targets.registry import TARGET_NAMES, find_target
from nntest.measure.targets.target import Target

__all__ = ["TARGET_NAMES", "Target", "find_target"]
