"""Reading archives in bulk: where they come from, and how a page without a job is told from its bytes."""
