"""Cannot even be imported."""

raise RuntimeError("this module is broken")
