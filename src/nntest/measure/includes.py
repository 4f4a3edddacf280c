"""Which headers a source reaches, so that a build depends on these alone."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:["<]([^">\n]+)[">]|(\S))', re.MULTILINE)


def included(sources: Iterable[Path], folders: Sequence[Path]) -> list[Path]:
    """Return the headers that C and C++ sources include, and what these include, sorted by path.

    Conditions are not looked at: a header that is included on another machine counts too. A header counts wherever it
    is found, beside the file that names it and in each of ``folders``; one that is in none belongs to a library or to
    the system. Where a name is made by a macro, every header there counts.

    Parameters
    ----------
    folders
        Where headers are looked for, as the compiler's ``-I`` says it.
    """
    waiting = list(sources)
    seen = {file.resolve() for file in waiting}
    found = []
    while waiting:
        file = waiting.pop()
        for header in _named_in(file, folders):
            if (real := header.resolve()) not in seen:
                seen.add(real)
                found.append(header)
                waiting.append(header)
    return sorted(found)


def _named_in(file: Path, folders: Sequence[Path]) -> Iterable[Path]:
    for name, other in _INCLUDE.findall(file.read_text(encoding="utf-8-sig", errors="replace")):
        if other:
            for folder in (file.parent, *folders):
                yield from folder.glob("*.h")
        else:
            candidates = (folder / name for folder in (file.parent, *folders))
            yield from (candidate for candidate in candidates if candidate.is_file())
