"""City models as raw layers: roof planes with their heights, or buildings where no other source has them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.archive import member_of
from geodata.city_json import buildings_of, parse_city_json
from geodata.crs import in_korea
from geodata.errors import InputError
from geodata.inventory import Dataset, RawLayer
from geodata.products.model import QUANTITIES, RAW_COLUMNS

Box = tuple[float, float, float, float]


def read_city_dataset(inbox: Path, dataset: Dataset, crs: str, bbox: Box | None = None) -> RawLayer:
    """Read a dataset of city models in ``crs``: roof surfaces (3D) or buildings (2D), by the dataset's role.

    Columns are the raw columns of the role, ``source_key`` and ``row_number``, as `geodata.vector_file.read_dataset` has them.

    Raises
    ------
    InputError
        If a part cannot be read or has no CRS.
    """
    frames, read = [], 0
    for part in dataset.parts:
        if part.crs is None:
            raise InputError(f"{part.data_source} has no coordinate reference system; give `crs` in the site file")
        try:
            model = parse_city_json(member_of(inbox, part).read())
        except InputError as error:
            raise InputError(f"{part.data_source}: {error}") from error
        if dataset.role == "roof_planes":
            found = model.roofs
        else:
            found = buildings_of(model)
            found["source_key"] = found["source_id"]
        found = found.set_crs(part.crs)
        found["row_number"] = np.arange(read, read + len(found))
        read += len(found)
        # vertical datums differ by an offset that no difference of heights feels: z stays as it is
        frames.append(found if part.crs == crs else found.to_crs(crs))
    whole = pd.concat(frames, ignore_index=True) if frames else gpd.GeoDataFrame(geometry=[], crs=crs)
    if bbox is not None and len(whole):
        bounds = shapely.bounds(whole.geometry.to_numpy())
        with np.errstate(invalid="ignore"):
            apart = (
                (bounds[:, 0] > bbox[2])
                | (bounds[:, 2] < bbox[0])
                | (bounds[:, 1] > bbox[3])
                | (bounds[:, 3] < bbox[1])
            )
        whole = whole[~apart | ~in_korea(bounds, crs)].reset_index(drop=True)
    for name in RAW_COLUMNS.get(dataset.role, ()):
        if name not in whole.columns:
            empty = pd.Series(np.full(len(whole), np.nan))
            whole[name] = empty if name in QUANTITIES else empty.astype("str")
    order = [*RAW_COLUMNS.get(dataset.role, ()), "source_key", "row_number", "geometry"]
    return RawLayer(dataset=dataset, frame=whole[order], read=read, outside=read - len(whole))
