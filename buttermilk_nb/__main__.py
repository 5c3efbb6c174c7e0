"""`python -m buttermilk_nb.cli`."""

from .cli import main

if __name__ == "__main__":
    main()
