"""What every command of `twin` shares: its options, and where it writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

# into a file or a pipe, lines are as long as they are; tables get room to be read
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SiteOption = Annotated[
    Path | None, typer.Option("--site", help="Site file (YAML). Default: the shipped Gwangmyeong-Siheung.")
]
OutputsOption = Annotated[Path | None, typer.Option("--outputs", help="Folder of the releases. Default: outputs")]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", help="Folder of Dagster's instance and the store, on a local disk. Default: .twin"),
]
