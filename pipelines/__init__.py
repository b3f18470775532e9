"""What is built from what, when, and whether it may go on. Holds no geometry and no physics."""

from pipelines.memory import look_for_cycles_rarely

# before anything large is imported: a fifth of the time that importing takes goes into looking through what it makes
look_for_cycles_rarely()
