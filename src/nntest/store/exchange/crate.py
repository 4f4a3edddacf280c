"""The description of an archive by RO-Crate 1.1: who, under which licence, on which machines, what was measured.

One file, ``ro-crate-metadata.json``: JSON-LD in the flat form that https://w3id.org/ro/crate/1.1 asks for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml  # type: ignore[import-untyped,unused-ignore]

from nntest.errors import DataError
from nntest.store.exchange.manifest import sha256
from nntest.store.exchange.names import CRATE, MANIFEST

_PROFILE = "https://w3id.org/ro/crate/1.1"
_UNDATED = "1980-01-01"
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T?(\d\d):?(\d\d):?(\d\d)")
_ORCID = re.compile(r"https?://orcid\.org/[\dX-]+")


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Who made the data, and what others may do with it.

    ``authors`` are (name, identifier) pairs, the identifier an ORCID address or ''; ``licence`` is an SPDX name.
    """

    authors: tuple[tuple[str, str], ...] = ()
    licence: str = ""


@dataclass
class Survey:
    """What the points of an archive are about, collected point by point."""

    points: int = 0
    times: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    species: set[str] = field(default_factory=set)
    libraries: set[tuple[str, str]] = field(default_factory=set)
    platforms: set[tuple[str, str]] = field(default_factory=set)

    def add_entry(self, words: Mapping[str, Any]) -> None:
        """Note meta or info of an entry; the original's points say neither their species nor their time."""
        meta, control = _object(words, "meta"), _object(words, "control")
        self._note(self.species, meta.get("species"))
        self._note_time(meta.get("timestamp") or control.get("iso_datetime"))

    def add(self, words: Mapping[str, Any]) -> None:
        """Note one point, ours or of the original stack."""
        self.points += 1
        block = _object(words, "nntest")
        case, subject, platform = (_object(block, part) for part in ("case", "subject", "platform"))
        found = _object(_object(words, "features"), "platform")
        self._note_time(_object(block, "session").get("timestamp"))
        self._note(self.programs, case.get("program") or _object(words, "choices").get("data_uoa"))
        self._note(self.species, case.get("species"))
        library = _object(subject, "library")
        if isinstance(library.get("name"), str):
            self.libraries.add((library["name"], str(library.get("version", ""))))
        names = (
            platform.get("cpu"),
            *(_object(found, part).get("name") for part in ("platform", "cpu")),
        )
        name = next((text for text in map(_text, names) if text), "")
        system = _text(platform.get("os")) or _text(_object(found, "os").get("name"))
        if name or system:
            self.platforms.add((name or "unknown machine", system))

    def _note_time(self, value: Any) -> None:
        """Note a time in ISO form; sessions may be named by any word."""
        if found := _TIME.match(_text(value)):
            year, month, day, hour, minute, second = found.groups()
            self.times.add(f"{year}-{month}-{day}T{hour}:{minute}:{second}")

    @staticmethod
    def _note(seen: set[str], value: Any) -> None:
        if text := _text(value):
            seen.add(text)


def read_credit(repository: Path) -> Credit:
    """Return what a repository's CITATION.cff says, nothing where it has none.

    Raises
    ------
    DataError
        The file cannot be understood.
    """
    path = repository / "CITATION.cff"
    if not path.is_file():
        return Credit()
    try:
        words = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: could not be read ({reason}); correct it, or give --author and --license") from None
    words = words if isinstance(words, dict) else {}
    people = words.get("authors")
    authors = [_author(person) for person in people if isinstance(person, dict)] if isinstance(people, list) else []
    licence = words.get("license")
    return Credit(
        authors=tuple(author for author in authors if author[0]), licence=licence if isinstance(licence, str) else ""
    )


def to_bytes(entries: Sequence[tuple[str, str]], survey: Survey, credit: Credit) -> bytes:
    """Return the description of an archive that holds ``entries``, (module, name) each."""
    parts: list[dict[str, Any]] = [
        {"@id": f"{module}/{name}/", "@type": "Dataset", "name": name} for module, name in entries
    ]
    parts.append({"@id": MANIFEST, "@type": "File", "name": "SHA-256 of every file", "encodingFormat": "text/plain"})
    people = [_person(name, identifier) for name, identifier in credit.authors]
    machines = [
        {"@id": _id("platform", name, system), "@type": "IndividualProduct", "name": name, "description": system}
        for name, system in sorted(survey.platforms)
    ]
    software = [
        {"@id": _id("library", name, version), "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        for name, version in sorted(survey.libraries)
    ]
    graph: list[dict[str, Any]] = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _PROFILE},
            "about": {"@id": "./"},
        },
        _root(entries, survey, parts, people, credit.licence),
        *parts,
        *people,
    ]
    if credit.licence:
        graph.append({"@id": _licence_id(credit.licence), "@type": "CreativeWork", "name": credit.licence})
    if survey.points:
        graph += [*_measured(), _action([*machines, *software], survey), *machines, *software]
    words = {"@context": f"{_PROFILE}/context", "@graph": graph}
    return orjson.dumps(words, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _root(
    entries: Sequence[tuple[str, str]],
    survey: Survey,
    parts: Iterable[Mapping[str, Any]],
    people: Sequence[Mapping[str, Any]],
    licence: str,
) -> dict[str, Any]:
    datasets = sum(module == "dataset" for module, _ in entries)
    counts = [f"{survey.points} points in {len(entries) - datasets} experiments"] if survey.points else []
    counts += [f"{datasets} datasets"] if datasets else []
    about = [
        ", ".join(counts),
        f"programs: {', '.join(sorted(survey.programs))}" if survey.programs else "",
        f"species: {', '.join(sorted(survey.species))}" if survey.species else "",
        f"machines: {', '.join(name for name, _ in sorted(survey.platforms))}" if survey.platforms else "",
    ]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Operators of neural-network libraries: experiment points in the format of Collective Knowledge",
        "description": "; ".join(text for text in about if text),
        # of the last measurement, so that equal points give an equal description
        "datePublished": max(survey.times, default=_UNDATED)[:10],
        "keywords": ["benchmark", "neural network operators", *sorted(survey.species)],
        "hasPart": [{"@id": part["@id"]} for part in parts],
    }
    if people:
        root["author"] = [{"@id": person["@id"]} for person in people]
    if licence:
        root["license"] = {"@id": _licence_id(licence)}
    if survey.points:
        root["variableMeasured"] = [{"@id": item["@id"]} for item in _measured()]
        root["mentions"] = [{"@id": "#measurement"}]
    return root


def _measured() -> list[dict[str, Any]]:
    return [
        {
            "@id": "#time",
            "@type": "PropertyValue",
            "name": "time of one call",
            "unitText": "s",
            "description": "one sample for each repetition (nntest.samples, characteristics_list)",
        },
        {
            "@id": "#max-error",
            "@type": "PropertyValue",
            "name": "largest error of the output",
            "description": "against a float64 reference, in units of eps * sqrt(K) * scale (nntest.reference)",
        },
    ]


def _action(instruments: Sequence[Mapping[str, Any]], survey: Survey) -> dict[str, Any]:
    action: dict[str, Any] = {
        "@id": "#measurement",
        "@type": "CreateAction",
        "name": "measurement of operators",
        "instrument": [{"@id": item["@id"]} for item in instruments],
        "result": {"@id": "./"},
    }
    if survey.times:
        action |= {"startTime": min(survey.times), "endTime": max(survey.times)}
    return action


def _person(name: str, identifier: str) -> dict[str, Any]:
    orcid = identifier if _ORCID.fullmatch(identifier) else ""
    return {"@id": orcid or _id("author", name), "@type": "Person", "name": name}


def _author(person: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and identifier of an author in CITATION.cff."""
    name = _text(person.get("name")) or " ".join(
        text for text in (_text(person.get(key)) for key in ("given-names", "family-names")) if text
    )
    return name, _text(person.get("orcid"))


def _licence_id(licence: str) -> str:
    return licence if "://" in licence else f"https://spdx.org/licenses/{licence}"


def _id(kind: str, *texts: str) -> str:
    return f"#{kind}-{sha256(chr(0).join(texts).encode())[:12]}"


def _object(words: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = words.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""
