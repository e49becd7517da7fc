"""How work runs in other processes: one way to start them, one supervisor, one pool. Knows no jobs and no ledgers."""
