"""The town: its surface, sun and green; and what is published of it. Knows nothing of Dagster."""
