"""`python -m buttermilk_nb.cli`."""

from . import main

if __name__ == "__main__":
    main()
