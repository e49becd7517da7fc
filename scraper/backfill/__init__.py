"""Reading archives in bulk: where they come from, their records one by one, and what no page without a job has."""
