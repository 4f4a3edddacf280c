"""Where outputs pass through: a file without a name, which ends with its session."""

import os
import subprocess
import sys

import pytest

from nntest.measure.output import output_scratch

WRITE = "import sys; open(sys.argv[1], 'wb').write(b'from another process')"


@pytest.mark.parametrize("memfd", [True, False])
def test_another_process_writes_what_this_one_reads(monkeypatch: pytest.MonkeyPatch, memfd: bool) -> None:
    if not memfd:
        monkeypatch.delattr(os, "memfd_create")
    with output_scratch() as path:
        subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True)
        assert path.read_bytes() == b"from another process"
    assert not path.exists()
