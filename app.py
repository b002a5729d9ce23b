"""Builds the page and serves it: `python app.py`, `PORT=8000 python app.py`."""

import os
import sys

from mer.errors import MerError
from mer.ui import build, launch

demo = build()


def main() -> None:
    """Serve the page at $HOST:$PORT, 127.0.0.1:7860 unless they are set."""
    host = os.environ.get("HOST", "127.0.0.1")
    try:
        launch(demo, host=host, port=os.environ.get("PORT", "7860"))
    except MerError as error:
        sys.exit(f"mer: {error}")


if __name__ == "__main__":
    main()
