"""The steps of the pipeline, by the room they belong to."""
