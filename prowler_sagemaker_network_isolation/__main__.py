"""`python -m prowler_sagemaker_network_isolation`: the command `sagemaker-isolation`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
