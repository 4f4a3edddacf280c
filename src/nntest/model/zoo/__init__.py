"""Shapes and networks that ship with the repository, as rules; ``script/generate/datasets.py`` writes them out."""
