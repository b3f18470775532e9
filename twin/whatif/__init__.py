"""What if: one block of a plan built otherwise, set against the plan as it was last computed."""
