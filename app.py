"""Builds the page and serves it: `python app.py`, `PORT=8000 python app.py`; a Space runs it."""

import os
import sys

from mer.errors import MerError
from mer.ui import build, launch

demo = build()


def main() -> None:
    """Serve the page at $HOST:$PORT; where they are not set, see `mer.ui.launch`."""
    try:
        launch(demo, host=os.environ.get("HOST"), port=os.environ.get("PORT"))
    except MerError as error:
        sys.exit(f"mer: {error}")


if __name__ == "__main__":
    main()
