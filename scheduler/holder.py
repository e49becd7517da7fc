"""Who runs something; see `db.holder`."""

from db.holder import is_dead, this_holder

__all__ = ["is_dead", "this_holder"]
