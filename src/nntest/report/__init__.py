"""Sections of analyses composed into one self-contained page."""

from nntest.report.page import compose, publish

__all__ = ["compose", "publish"]
