#!/usr/bin/env python3
"""The command line of the product."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "error: Python 3.11 or later is needed, this is %d.%d: install it and run `make setup`."
        % sys.version_info[:2]
    )

if __name__ == "__main__":
    from billing_hierarchy.embedded.command_line import main

    main(sys.argv)
