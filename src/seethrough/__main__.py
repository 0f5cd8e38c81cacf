"""``python -m seethrough``: the ``seethrough`` command."""

from seethrough.cli import main

if __name__ == "__main__":
    main()
