"""Alias files: without them ``ck`` does not find an entry, or stumbles over its whole module."""

from pathlib import Path


def write_alias(folder: Path, name: str, uid: str) -> None:
    """Give the entry ``folder/name`` its UID in both directions; ``folder`` is a module's folder or a repository."""
    aliases = folder / ".cm"
    aliases.mkdir(parents=True, exist_ok=True)
    (aliases / f"alias-a-{name}").write_text(f"{uid}\n", encoding="utf-8")
    (aliases / f"alias-u-{uid}").write_text(f"{name}\n", encoding="utf-8")
