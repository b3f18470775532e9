"""The first asset: what lies in the inbox."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from geodata.errors import InputError
from geodata.inbox import hash_files, refuse, refuse_changed, take_inventory
from geodata.inventory import SourceFile
from geodata.site import Site
from pipelines.code_version import code_version
from pipelines.step_names import INVENTORY
from pipelines.steps import OWNER, Progress, materialized
from pipelines.store import Store, StoredObject, digest_of
from pipelines.work import read_inventory


def list_inbox(inbox: Path) -> str:
    """Return one hash over the names and contents of all files of the inbox."""
    return _listing(hash_files(inbox))


def _listing(files: Sequence[SourceFile]) -> str:
    return digest_of([file.model_dump() for file in files])


def build_inventory(site: Site, store: Store) -> StoredObject:
    """Return the inventory of the inbox; files are recognised anew only when one of them has changed.

    Raises
    ------
    InputError
        If the inbox is missing or empty, or holds a file that a run must not pass over.
    """
    listed = hash_files(site.inbox)

    def build(folder: Path) -> dict[str, Any]:
        inventory = take_inventory(site.inbox, site.sources, site.plans)
        # a file that is being copied looks empty or broken, and must not be remembered so under the hash of its other state
        refuse_changed(site.inbox, (*listed, *inventory.files))
        if came := sorted({file.path for file in inventory.files} - {file.path for file in listed}):
            raise InputError(
                f"{', '.join(came)} came while the inbox was listed. Run again · 목록을 만드는 동안 파일이 들어왔습니다"
            )
        (folder / "data" / "inventory.json").write_text(inventory.model_dump_json(indent=1), encoding="utf-8")
        return {
            "rows": len(inventory.files),
            "recognised": {d.role: d.product for d in inventory.datasets if not d.plan},
            "ignored": list(inventory.ignored),
            "problems": [f"{p.path}: {p.what}" for p in inventory.problems],
        }

    found = store.get_or_build(
        INVENTORY,
        inputs={":inbox": _listing(listed)},
        parameters=site.model_dump(mode="json", include={"sources", "plans"}),
        code_version=code_version(take_inventory),
        build=build,
    )
    refuse(read_inventory(found))
    return found


def inventory_asset(
    site: Site, store: Store, context_check: Callable[[Any], None], on_progress: Callable[[Progress], None] | None
) -> dg.AssetsDefinition:
    """Return the asset of the inventory."""

    @dg.asset(
        key=dg.AssetKey(INVENTORY.split("/")),
        group_name="sources",
        kinds={"pyogrio", "gdal"},
        owners=[OWNER],
        tags={"site": site.name, "scenario": "none"},
        description="What each file of the inbox is, by its columns and header: product, encoding, CRS, rows, hash. · 인박스의 파일 목록과 판별 결과.",
        code_version=code_version(take_inventory),
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context_check(context)
        started = time.perf_counter()
        try:
            found = build_inventory(site, store)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        return materialized(found, time.perf_counter() - started)

    return body
