"""`python -m mer`: see mer/cli/__init__.py."""

import sys

from mer.cli import main

sys.exit(main())
