"""The process around a driver: ``python -I -S host.py FOLDERS DRIVER ARGUMENTS...``.

``FOLDERS`` are those that the library's modules are imported from, joined as in PATH. The driver's ``main`` runs in the
main thread and never gives the interpreter's lock away, so that no other Python thread can disturb it.
"""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Run the driver and return its exit code."""
    folders, driver, *options = arguments
    sys.path[:0] = [str(Path(__file__).parent), *folders.split(os.pathsep)]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own handler would wait for Python code to run
    gc.disable()  # what is collected in the middle of a call is part of its time
    words = [os.fsencode(word) for word in (driver, *options)]
    argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    return int(ctypes.PyDLL(driver).main(len(words), argv))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Without Python's own end: it would take apart what the library still holds.
    system = ctypes.CDLL(None)
    system.fflush(None)
    system._exit(code)
