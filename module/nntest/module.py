"""CK face of NNTest: every action hands ck's dictionary to the command line ``nntest``, which knows the options."""

import sys

cfg = {}  # the meta of this entry, set by ck
work = {}  # ck's own notes on this module
ck = None  # ck's kernel, set by ck


def init(i):  # noqa: ARG001 - ck passes it
    """Answer ck when it loads this module."""
    return {"return": 0}


def run(i):
    """Measure: ck run nntest:<programs> --dataset_uoa=<dataset> [...]; `nntest run --help` lists the options."""
    return _face("run", i)


def list_entries(i):
    """List: ck list nntest:programs|datasets|libraries|experiments|analyses."""
    return _face("list_entries", i)


def show(i):
    """Show: ck show nntest:<experiment or point>."""
    return _face("show", i)


def _face(action, i):
    try:
        from nntest.faces import ck as face
    except ImportError as error:
        return {"return": 2, "error": _not_importable(error)}
    return getattr(face, action)(i)


def _not_importable(error):
    checkout = cfg.get("checkout") or "<checkout of nntest>"
    return (
        f"this ck runs under {sys.executable}, which cannot import the package nntest ({error}); "
        f"use {checkout}/.venv/bin/ck, or install it there: {sys.executable} -m pip install {checkout}"
    )
