"""Arrays by name in one file that is written and read many times faster than compressed npz: an Arrow table of one row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of numbers into ``path``, compressed by LZ4; equal arrays give equal files."""
    columns = [
        pa.LargeListArray.from_arrays(pa.array([0, values.size], pa.int64()), pa.array(np.ravel(values)))
        for values in arrays.values()
    ]
    shapes = [pa.field(name, column.type, metadata={"shape": " ".join(map(str, arrays[name].shape))})
              for name, column in zip(arrays, columns, strict=True)]  # fmt: skip
    table = pa.table(columns, schema=pa.schema(shapes))
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as target, pa.ipc.new_file(target, table.schema, options=options) as writer:
        writer.write_table(table)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` has written."""
    with pa.OSFile(str(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    found = {}
    for field in table.schema:
        shape = tuple(map(int, field.metadata[b"shape"].split()))
        # copied: what Arrow holds may not be written to, and numba compiles anew for arrays like that
        found[field.name] = np.array(table[field.name].chunk(0).values.to_numpy()).reshape(shape)
    return found
