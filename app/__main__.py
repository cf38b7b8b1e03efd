"""`python -m app`: the same commands as the `sise` script."""

from app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
