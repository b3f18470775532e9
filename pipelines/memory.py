"""How often Python looks for objects that hold each other alive."""

import gc

_NEW_OBJECTS, _YOUNG, _OLD = 100_000, 20, 100


def look_for_cycles_rarely() -> None:
    """Let Python look for such objects every 100,000 new ones in place of every 700.

    Steps make lists of millions of numbers and free them by themselves: looking through them again and again took a third of
    the time of those that write JSON. What is there already, the modules above all, is not looked at any more.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG, _OLD)
