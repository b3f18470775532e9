from __future__ import annotations

import logging
import shutil
import uuid
from pathlib import Path

import fsspec
import pytest

from geodata.errors import InputError
from geodata.site import Site
from pipelines.mirror import MirroredStore, open_store
from pipelines.store import Store


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path) -> str:
    return f"memory://{uuid.uuid4().hex}" if request.param == "memory" else f"file://{tmp_path / 'mirror'}"


def get(store: Store, value: str = "x", calls: list | None = None):
    def build(folder: Path):
        if calls is not None:
            calls.append(value)
        (folder / "data" / "deep").mkdir()
        (folder / "data" / "deep" / "a.txt").write_text(value, encoding="utf-8")
        return {"rows": 1}

    return store.get_or_build("existing/roofs", inputs={"a": value}, parameters=None, code_version="1", build=build)


def test_another_machine_takes_what_was_built_once(tmp_path, url):
    built = get(MirroredStore(tmp_path / "one", url))
    calls: list = []
    taken = get(MirroredStore(tmp_path / "two", url), calls=calls)
    assert calls == [] and taken.reused and not built.reused
    assert (taken.content, taken.digest, taken.metadata) == (built.content, built.digest, built.metadata)
    assert (taken.data / "deep" / "a.txt").read_text() == "x"
    # it is on the local disk now: the mirror may go
    again = get(Store(tmp_path / "two"), calls=calls)
    assert calls == [] and again.content == built.content


def test_other_inputs_are_another_object(tmp_path, url):
    get(MirroredStore(tmp_path / "one", url), "x")
    calls: list = []
    get(MirroredStore(tmp_path / "two", url), "y", calls)
    assert calls == ["y"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_object_is_built_again_and_replaced(tmp_path, url, harm, caplog):
    get(MirroredStore(tmp_path / "one", url))
    files, base = fsspec.core.url_to_fs(url)
    (place,) = files.glob(f"{base}/*/*.tar")
    whole = files.cat_file(place)
    at = whole.index(b"x" + bytes(511))
    damaged = {"cut": whole[: at - 300], "flip": whole[:at] + b"z" + whole[at + 1 :], "empty": b""}[harm]
    files.pipe_file(place, damaged)
    calls: list = []
    with caplog.at_level(logging.WARNING):
        found = get(MirroredStore(tmp_path / "two", url), calls=calls)
    assert calls == ["x"] and (found.data / "deep" / "a.txt").read_text() == "x"
    assert "built here" in caplog.text
    get(MirroredStore(tmp_path / "three", url), calls=calls)
    assert calls == ["x"]
    assert files.glob(f"{base}/*/*.part") == []


def test_a_mirror_that_is_gone_does_not_stop_the_work(tmp_path, caplog):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        found = get(MirroredStore(tmp_path / "one", f"file://{blocked}/mirror"))
    assert (found.data / "deep" / "a.txt").read_text() == "x"
    assert "not put into the mirror" in caplog.text


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path, url, caplog):
    import io
    import tarfile

    first = get(MirroredStore(tmp_path / "one", url))
    files, base = fsspec.core.url_to_fs(url)
    (place,) = files.glob(f"{base}/*/*.tar")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("../../../escaped.txt")
        archive.addfile(entry, io.BytesIO(b""))
    files.pipe_file(place, stream.getvalue())
    found = get(MirroredStore(tmp_path / "two", url))
    assert found.content == first.content
    assert list(tmp_path.rglob("escaped.txt")) == []


def test_the_site_file_names_the_mirror(tmp_path):
    base = {"name": "town", "title": {"ko": "가", "en": "a"}, "study_area": {"bbox": [0, 0, 1, 1], "crs": "EPSG:5186"}}
    assert type(open_store(Site.model_validate(base), tmp_path)) is Store
    mirrored = open_store(Site.model_validate(base | {"compute": {"mirror": "memory://m"}}), tmp_path)
    assert isinstance(mirrored, MirroredStore) and mirrored.base.endswith("m/town")
    with pytest.raises(InputError, match=r"compute\.mirror"):
        open_store(Site.model_validate(base | {"compute": {"mirror": "nosuch://m"}}), tmp_path)
    shutil.rmtree(tmp_path)
