"""The process that reads for another one; it imports no more than reading needs, because it starts while that waits."""

import os
import pickle
import struct
import sys

from nntest.crawl.read import Reader, no_collector

#: Where a share stands in the file of shares: start and size.
PLACE = struct.Struct("qq")


def serve(source: int, shares: int, order: int) -> None:
    """Be a worker: draw shares until there are none left, then answer with the harvest on standard output."""
    reader = Reader(*pickle.loads(os.pread(shares, order, 0)))
    with no_collector():
        while place := os.read(source, PLACE.size):
            start, size = PLACE.unpack(place)
            for item in pickle.loads(os.pread(shares, size, start)):
                reader.add(item)
    sys.stdout.buffer.write(pickle.dumps(reader.harvest(), protocol=pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.flush()
