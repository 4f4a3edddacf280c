"""CK face of the analyses: ``ck run analysis:<name>`` hands ck's dictionary to ``nntest analyse``."""

import sys

cfg = {}  # the meta of this entry, set by ck
work = {}  # ck's own notes on this module
ck = None  # ck's kernel, set by ck


def init(i):  # noqa: ARG001 - ck passes it
    """Answer ck when it loads this module."""
    return {"return": 0}


def run(i):
    """Analyse: ck run analysis:<name> --source=<repo|folder|zip> [--tags=...] [--<option>=...] --out_dir=<folder>."""
    try:
        from nntest.faces import ck as face
    except ImportError as error:
        return {
            "return": 2,
            "error": f"this ck runs under {sys.executable}, which cannot import the package nntest ({error}); "
            "use the ck of the checkout's .venv, or install nntest there with pip",
        }
    return face.analyse(i)
