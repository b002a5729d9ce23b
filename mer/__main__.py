"""`python -m mer`: see mer/cli.py."""

import sys

from mer.cli import main

sys.exit(main())
