"""Sections of analyses composed into one self-contained page."""

from nntest.report.page import compose, publish
from nntest.report.suite import write_report

__all__ = ["compose", "publish", "write_report"]
