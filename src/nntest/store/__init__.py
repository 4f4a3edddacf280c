"""Entries, repositories and points on disk, in the layout of Collective Knowledge."""
