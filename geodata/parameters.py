"""Model parameters and rules: YAML files in which every value names its unit, source, date and whether it was verified.

A file is a mapping of names to records of `Parameter`. Files live beside the code that uses them.
An unverified value may be used and shown; it is never called compliance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.errors import InputError
from geodata.shipped_yaml import shipped_yaml


class Parameter(BaseModel):
    """One value with its provenance."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: Any
    unit: str
    source: str
    effective: str = ""
    """Date or period from which the value holds, ISO 8601 where it is a date."""
    verified: bool
    ko: str = ""
    en: str = ""
    note: str = ""


class Parameters(Mapping[str, Any]):
    """Values of one parameter file by name; `record` gives a value's whole record."""

    def __init__(self, records: dict[str, Parameter]) -> None:
        self._records = records

    def __getitem__(self, name: str) -> Any:
        return self._records[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def record(self, name: str) -> Parameter:
        """Return value, unit, source, date and verification of ``name``."""
        return self._records[name]

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return all records as plain data, for digests, `run_info` and the manifest."""
        return {name: record.model_dump() for name, record in self._records.items()}


@cache
def load_parameters(package: str, file_name: str) -> Parameters:
    """Read the parameter file ``file_name`` that ships inside ``package``; once in a process.

    Raises
    ------
    InputError
        If a record lacks its unit, source or verification, or carries an unknown key.
    """
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    records = {}
    for name, record in shipped_yaml(text).items():
        try:
            records[name] = Parameter.model_validate(record)
        except ValidationError as error:
            raise InputError(
                f"{package}/{file_name}, {name}: {error.errors()[0]['loc']} {error.errors()[0]['msg']}"
            ) from error
    return Parameters(records)
