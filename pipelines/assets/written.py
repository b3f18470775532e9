"""Files that a step has written are held to their standards at once, while other steps go on, and not again at the publish."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.errors import InputError
from pipelines.store import StoredObject
from pipelines.work import Work
from twin.publish.validate import file_problems, has_standard

_CHECKED = "checked"


def check_written(work: Work) -> None:
    """Check every file that the step has written so far and that has a standard, and note in its metadata which.

    Raises
    ------
    InputError
        If one of them fails: what is wrong with which file. The step then has no result, and nothing is published.
    """
    paths = sorted(path for path in work.out.rglob("*") if path.is_file() and has_standard(path))
    problems = [problem for path in paths for problem in file_problems(path)]
    if problems:
        raise InputError("what was written fails its own check:\n  " + "\n  ".join(problems))
    work.metadata[_CHECKED] = [path.relative_to(work.out).as_posix() for path in paths]


def names_checked(stored_files: Mapping[str, tuple[StoredObject, str]]) -> frozenset[str]:
    """Return the names inside a release of files that the step which wrote them has checked.

    ``stored_files`` gives for each name the stored object and the file in it. A release takes them by their hash.
    """
    return frozenset(name for name, (stored, file) in stored_files.items() if file in stored.metadata.get(_CHECKED, ()))
