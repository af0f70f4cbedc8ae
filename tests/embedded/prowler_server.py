"""Prowler, started once and forked for each run, because a start costs four CPU seconds.

Nearly all of them are for other people's packages, which the runs share. Prowler and the plugin are
imported anew by each, so it finds checks, reads variables and takes the time as a cold start does.
"""

import gc
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .fork_server import command, serve


@contextmanager
def prowler_command(
    folder: Path, python: Path, script: Path, variables: dict[str, str]
) -> Iterator[None]:
    """Have a command `prowler` in a folder, whose runs are forks of an installation's.

    Args:
        python: The installation's Python.
        script: Its `prowler` script.
        variables: The environment of its runs.
    """
    with command(folder / "prowler", str(python), __name__, str(script), variables=variables):
        yield


def main() -> None:
    """Import what Prowler imports, and be a run of it in each fork."""
    _, script, address = sys.argv
    sys.argv, sys.path[0] = [script], os.path.dirname(script)  # the checkout is not to be seen
    import prowler.__main__ as cli
    from pydantic.v1 import class_validators

    from .caches import make_all

    cli.ProwlerArgumentParser()  # which imports every provider
    make_all()
    for name in [name for name in sys.modules if name.startswith("prowler")]:
        del sys.modules[name]
    class_validators._FUNCS.clear()  # which refuses to see a class twice
    gc.freeze()  # no run needs to look through all this for garbage

    def run() -> None:
        runpy.run_path(script, run_name="__main__")

    serve(address, run)


if __name__ == "__main__":
    main()
