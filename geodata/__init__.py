"""Other people's files become our clean layers. Knows nothing of Dagster, nor of what is made from the layers."""
