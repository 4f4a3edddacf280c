"""Taking out of points what tells whose machine measured them: paths, and values of known keys.

What is taken out:

- the values of ``KEYS``, whatever they are, in any letter case, with blanks, dashes and underscores alike
  (``meta.user`` of the original's entries, ``Serial`` of its boards, ...);
- the folders of absolute paths inside any text; the last part stays (``/home/me/net.prototxt`` -> ``net.prototxt``).
  In ``LABELS`` only paths below well-known roots count: networks call their layers ``/block1/Conv``.

What stays: ``author`` and its like (credit that was given on purpose), the salted hash of the machine, and where
Linux shows its energy counters: our own points say so in their reasons, and it is the same place on every machine.
"""

import json
import re
from functools import lru_cache
from typing import Any

from nntest.store.exchange.content import parse_json
from nntest.store.exchange.limits import RefusedError

#: Keys whose values name a user or a machine.
KEYS = re.compile(
    r"user|username|userid|login|home|homedir|host|hostname|hostuid|nodename|fqdn|domainname|ip|ipaddress|mac"
    r"|macaddress|serial|serialnumber|machineid|boardserial|password|token"
)
#: Keys whose texts may look like paths and are none.
LABELS = frozenset({"label", "name", "layer", "layers", "kernel", "inputs", "outputs", "input", "output"})
#: Blocks that are hashed into a point's identities; they cannot be changed without becoming another point's.
IDENTITY = ("case", "subject", "platform")

_ROOTS = (
    r"bin|boot|data|dev|etc|home|lib|lib64|media|mnt|nix|opt|private|proc|root|run|sbin|scratch|srv|sys|tmp|usr|var"
    r"|work|workspace|Users|Volumes|Applications|Library|System"
)
_END = r"[^\s\"'`,;:()\[\]{}<>|]"
_BEFORE = r"(?:(?<![\w/.~)\]}%+*-])|(?<=(?<!\w)-[A-Za-z])|(?<=isystem)|(?<=~)|(?<=file://))"
_COUNTERS = r"(?!sys/class/powercap(?:/intel-rapl[:*0-9]*(?:/energy_uj)?)?(?![\w/-]))"
_ANY_PATH = re.compile(rf"{_BEFORE}/{_COUNTERS}(?![/*\s])(?:{_END}*/)*({_END}+)/?")
_ROOTED_PATH = re.compile(rf"{_BEFORE}/{_COUNTERS}(?:{_ROOTS})/(?:{_END}*/)*({_END}*)")
_WINDOWS_PATH = re.compile(
    r"(?<![A-Za-z0-9/])(?:[A-Za-z]:[\\/]|\\\\[^\\\s]+\\)(?:[^\s\"'`,;:()<>|\\/]*[\\/])*([^\s\"'`,;:()<>|\\/]*)"
)


def scrub_bytes(name: str, data: bytes) -> bytes:
    """Return a JSON file's bytes without what tells whose machine it was; the very same bytes where nothing does.

    Raises
    ------
    RefusedError
        The file is no JSON, or its identities could not be kept.
    """
    parse_json(name, data)
    # orjson would turn NaN into null, and long integers into floats.
    words = json.loads(data.decode("utf-8"))
    clean = scrub(words)
    if clean is words:
        return data
    _check_identities(name, words, clean)
    return (json.dumps(clean, sort_keys=True) + "\n").encode("ascii")


def scrub(value: Any, key: str = "") -> Any:
    """Return plain JSON values without what tells whose machine they are from; the same object where nothing does."""
    if isinstance(value, str):
        if value and _is_private(key):
            return ""
        if "/" not in value and "\\" not in value:
            return value
        clean = scrub_text(value, label=_parts(key)[-1] in LABELS)
        return value if clean == value else clean
    if isinstance(value, dict):
        pairs = {name: scrub(item, name) for name, item in value.items()}
        return pairs if any(pairs[name] is not item for name, item in value.items()) else value
    if isinstance(value, list):
        items = [scrub(item, key) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def scrub_text(text: str, *, label: bool = False) -> str:
    """Return a text with the folders of its absolute paths left out."""
    # Drives first: what stands behind the colon would pass for a path of its own.
    if "\\" in text or ":/" in text:
        text = _WINDOWS_PATH.sub(r"\1", text)
    return (_ROOTED_PATH if label else _ANY_PATH).sub(r"\1", text) if "/" in text else text


@lru_cache(maxsize=10_000)
def _is_private(key: str) -> bool:
    return any(KEYS.fullmatch(part) for part in _parts(key))


@lru_cache(maxsize=10_000)
def _parts(key: str) -> list[str]:
    """Return a key as ``KEYS`` spells it; the flat keys of the original (``##meta#user#min``) have several parts."""
    return re.split(r"[#@]+", re.sub(r"[ _-]", "", key.lower()))


def _check_identities(name: str, words: Any, clean: Any) -> None:
    before = words.get("nntest") if isinstance(words, dict) else None
    if not isinstance(before, dict):
        return
    for part in IDENTITY:
        if clean["nntest"].get(part) is not before.get(part):
            raise RefusedError(
                name,
                f"nntest.{part} holds a path or name of the machine, and cannot be changed without making it another "
                f"point; export with --with-host, or measure again without it",
            )
