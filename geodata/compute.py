"""The site file's key ``compute``. It is a file of its own because it changes no result, while the site file does."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ComputeSpec(BaseModel):
    """Where independent pieces of work run: in this process, or on a Dask cluster. Results are the same bit for bit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scheduler: Literal["threads", "distributed"] = "threads"
    address: str | None = None
    """Of the Dask scheduler, such as ``tcp://10.0.0.5:8786``."""
    executor: Literal["in_process", "multiprocess"] = "in_process"
    """Of Dagster's own runs (``dg launch``, its UI): steps one after the other, or each in a process of its own."""
    steps_at_once: int = Field(default=2, ge=1, le=16)
    """Steps that `twin run` builds side by side, each in a process of its own; memory grows with it. 1: one after the other."""
    mirror: str | None = None
    """fsspec address of a mirror of the store, such as ``s3://bucket/twin``; see `pipelines.mirror`."""

    @model_validator(mode="after")
    def _address_of_cluster(self) -> ComputeSpec:
        if self.scheduler == "distributed" and not self.address:
            raise ValueError(
                "scheduler: distributed needs the address of a Dask scheduler, such as tcp://10.0.0.5:8786"
            )
        if self.scheduler == "threads" and self.address:
            raise ValueError("an address is for scheduler: distributed; leave it out, or name that scheduler")
        return self
