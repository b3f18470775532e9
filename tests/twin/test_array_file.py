"""Arrays in a file come back as they were."""

from __future__ import annotations

import numpy as np

from twin.array_file import load_arrays, save_arrays


def test_arrays_come_back_with_shape_type_and_every_value(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {
        "start": np.arange(7, dtype=np.int64),
        "bin": rng.integers(0, 255, 1000).astype(np.uint8),
        "near": rng.normal(size=(12, 4)),
        "gap": np.array([[np.nan, np.inf], [-0.0, 5e-324]]),
        "none": np.empty((0, 3), dtype=np.float32),
    }
    save_arrays(tmp_path / "a", arrays)
    found = load_arrays(tmp_path / "a")
    assert list(found) == list(arrays)
    for name, values in arrays.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert found[name].tobytes() == values.tobytes()
        found[name][...] = 0  # may be written to
    save_arrays(tmp_path / "b", arrays)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
