"""Write tests/data/inputs.json: values of the input generator, by the definition in whole numbers of any size.

    python script/generate/inputs.py

Slow and obvious on purpose; the numpy and the C++ generators are tested against what it writes.
"""

import json
from pathlib import Path

ROLES = {"input": 0, "weights": 1, "bias": 2, "output": 3, "input1": 4, "input2": 6, "input3": 7}
TARGET = Path(__file__).resolve().parents[2] / "tests" / "data" / "inputs.json"


def mix(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def value(seed: int, role: str, index: int, data: str) -> float:
    """One value of a tensor; every result is a float32 and exact here."""
    golden = 0x9E3779B97F4A7C15
    start = mix((seed * golden + ROLES[role]) % 2**64)
    number = (mix((start + (index + 1) * golden) % 2**64) >> 40) / 2**23 - 1
    activation = role.startswith("input")
    if data == "int":
        return float(number * 8 // 1)
    if data == "relu" and activation:
        return max(number, 0.0)
    return 0.0 if data == "zeros" and activation else number


def vectors() -> list[dict[str, object]]:
    """Stretches of values: all roles and fills, two seeds, and indices beyond 32 bits."""
    stretches = [(42, 0), (2**63 + 12345, 0), (42, 2**33 + 7)]
    return [
        {
            "seed": seed,
            "role": role,
            "data": data,
            "first": first,
            "values": [value(seed, role, first + index, data) for index in range(8)],
        }
        for role in ("input", "weights", "bias", "input1", "input2", "input3")
        for data in ("normal", "relu", "int", "zeros")
        for seed, first in stretches
    ]


if __name__ == "__main__":
    rows = ",\n  ".join(json.dumps(vector) for vector in vectors())
    TARGET.write_text(f'{{"vectors": [\n  {rows}\n]}}\n')
