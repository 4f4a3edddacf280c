"""Write the dataset entries of the zoo, or with --check compare them with what is there.

python script/generate/datasets.py            write dataset/
python script/generate/datasets.py --check    exit code 1 when an entry differs, is missing or is left over
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nntest.model.zoo.entries import all_entries

DATASET = Path(__file__).resolve().parents[2] / "dataset"


def generated_files() -> dict[str, bytes]:
    """Contents by path relative to dataset/."""
    files: dict[str, bytes] = {}
    for entry in all_entries():
        files |= entry.files()
    return files


def differences(root: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """One line per file that is missing, differs, or lies in a generated entry without belonging to it."""
    lines = []
    for name, content in wanted.items():
        path = root / name
        if not path.is_file():
            lines.append(f"{name}: missing")
        elif path.read_bytes() != content:
            lines.append(f"{name}: differs")
    return lines + [f"{name}: left over" for name in left_over(root, wanted)]


def left_over(root: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Files inside the folders of generated entries that the generator does not write."""
    folders = {name.split("/", 1)[0] for name in wanted} - {".cm"}
    found = (path.relative_to(root).as_posix() for folder in sorted(folders) for path in (root / folder).rglob("*"))
    return [name for name in found if (root / name).is_file() and name not in wanted]


def write(root: Path, wanted: Mapping[str, bytes]) -> None:
    """Bring the entries to what the generator says; other entries stay untouched."""
    for name in left_over(root, wanted):
        (root / name).unlink()
    for name, content in wanted.items():
        path = root / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    options = parser.parse_args(arguments)
    wanted = generated_files()
    if options.check:
        lines = differences(DATASET, wanted)
        print("\n".join(lines) if lines else f"dataset: {len(wanted)} files as generated")
        return 1 if lines else 0
    write(DATASET, wanted)
    print(f"dataset: {len(wanted)} files of {len(all_entries())} entries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
