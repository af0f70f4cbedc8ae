"""Puts this project's SageMaker check in the place of Prowler's check of the same name.

Prowler imports this package when it loads the entry points of the group `prowler.compliance`, which
it does before it looks for any check. It looks for the checks of a service along the path of the
service's package, and the first folder of a name wins; so our folder is put first on that path. No
file of Prowler is touched, and without this package the built-in check answers again.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

SERVICE = "prowler.providers.aws.services.sagemaker"
CHECK = "sagemaker_models_network_isolation_enabled"


def take_the_place_of_the_built_in() -> None:
    """Put our `checks` folder first on the path of Prowler's SageMaker package, once.

    Where Prowler or this installation is not shaped as expected, one sentence on stderr says so and
    the built-in check stays; nothing is raised, because that would end every `prowler` command.
    """
    try:
        checks = folder_of("checks")
        path = import_module(SERVICE).__path__
        built_in = Path(path[-1], CHECK, f"{CHECK}.py")
        if not built_in.is_file():
            raise FileNotFoundError(f"Prowler has no {built_in}")
        if f"{SERVICE}.{CHECK}" in sys.modules and checks not in path:
            raise ImportError("Prowler's check was imported before this package")
        if checks not in path:
            path.insert(0, checks)
    except Exception as error:
        print(
            "prowler-sagemaker-network-isolation: Prowler's own "
            f"{CHECK} is used, which reads one flag only, because this plugin cannot take its "
            f"place here ({error}). Install a Prowler from 5.32.1 to 5.x, or remove the plugin.",
            file=sys.stderr,
        )


def folder_of(subpackage: str) -> str:
    """Return the folder that holds one of our subpackages, in a wheel and in an editable install.

    Args:
        subpackage: "checks".

    Raises:
        FileNotFoundError: It is no folder on disk that holds the check, as in a zipped package.
    """
    spec = find_spec(f"{__name__}.{subpackage}")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if Path(folder, CHECK, f"{CHECK}.metadata.json").is_file():
            return folder
    raise FileNotFoundError(f"the plugin's folder {subpackage} is not on disk")


take_the_place_of_the_built_in()
