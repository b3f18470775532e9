"""The progress file of a fetch: what is finished is written down at once and never fetched again."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any


class Journal:
    """Finished pieces of one fetch, one line each, in a hidden file beside the target.

    Parameters
    ----------
    path
        The file; the inbox passes over names that begin with a point.
    subject
        What is fetched: layer, box, filter. A journal of another subject is begun anew.
    today
        Day of this call; a journal that was begun more than ``keep_days`` ago is begun anew.
    """

    def __init__(self, path: Path, subject: dict[str, Any], *, today: date, keep_days: int) -> None:
        self.path = path
        self.done: dict[str, Any] = {}
        self.started = today
        whole = self._read(subject, today, keep_days)
        self.resumed = len(self.done)
        path.parent.mkdir(parents=True, exist_ok=True)
        # a line that was cut off by a kill is dropped with whatever follows it
        with path.open("r+b" if whole else "wb") as stream:
            stream.truncate(whole)
        if not whole:
            self._append({"subject": subject, "started": today.isoformat()})

    def _read(self, subject: dict[str, Any], today: date, keep_days: int) -> int:
        """Take over what is finished and return how many bytes of the file are whole lines of this subject."""
        if not self.path.exists():
            return 0
        whole = 0
        with self.path.open("rb") as stream:
            for line in stream:
                try:
                    entry = json.loads(line)
                except (json.JSONDecodeError, UnicodeDecodeError):
                    break
                if not line.endswith(b"\n"):
                    break
                if whole == 0:
                    started = date.fromisoformat(entry.get("started", "0001-01-01"))
                    if entry.get("subject") != subject or not 0 <= (today - started).days <= keep_days:
                        return 0
                    self.started = started
                else:
                    self.done[entry["piece"]] = entry["value"]
                whole += len(line)
        return whole

    def add(self, piece: str, value: Any) -> None:
        """Write down that ``piece`` is finished; on return it is on the disk."""
        self._append({"piece": piece, "value": value})
        self.done[piece] = value

    def _append(self, entry: dict[str, Any]) -> None:
        with self.path.open("ab") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def close(self) -> None:
        """Remove the file: the target stands."""
        self.path.unlink(missing_ok=True)
