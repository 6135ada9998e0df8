"""``python -m cim``: the command line."""

from cim.cli import main

if __name__ == "__main__":
    main()
