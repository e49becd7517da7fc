"""The console script: catches signals before anything else is imported."""

from __future__ import annotations

from service.interrupts import handled


def main() -> None:
    with handled(last=True):
        from service.cli import main as run

        run()


if __name__ == "__main__":
    main()
