"""Puts this project's SageMaker check in the place of Prowler's check of the same name.

Prowler imports this package when it loads the entry points of the group `prowler.compliance`, which
it does before it looks for any check. It looks for the checks of a service along the path of the
service's package, and the first folder of a name wins; so our folder is put first on that path. No
file of Prowler is touched, and without this package the built-in check answers again.
"""

import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

SERVICE = "prowler.providers.aws.services.sagemaker"
CHECK = "sagemaker_models_network_isolation_enabled"

# All of Prowler that the checks and the fixer rely on: modules, and what the source of each must
# define or import from elsewhere; what is no name, such as a condition, it must hold as it stands.
# They are read as text: importing the modules here would cost every `prowler` command seconds, and
# parsing them some forty milliseconds where this takes two.
RELIED_ON = {
    "prowler.config.config": ("default_output_directory", "output_file_timestamp"),
    # `run_fixer` calls a fixer by the names of its parameters.
    "prowler.lib.check.check": (
        "def run_fixer",
        '"region" in fixer.__code__.co_varnames',
        '"resource_id" in fixer.__code__.co_varnames',
    ),
    "prowler.lib.check.models": (
        "class Check",
        "class Check_Report_AWS",
        "class CheckMetadata",
        "class Severity",
        "def metadata",
        "self.region",
        "self.resource",
        "self.resource_arn",
        "self.resource_id",
        "self.resource_tags",
    ),
    "prowler.providers.aws.lib.service.service": (
        "class AWSService",
        "self.audited_account",
        "self.audit_config",
        "self.audit_resources",
        "self.provider",
        "self.regional_clients",
        "self.session",
        "self.thread_pool",
        "def get_unknown_arn",
    ),
    "prowler.lib.mutelist.mutelist": (
        "def is_finding_muted",
        "def mutelist",
        "def mutelist_file_path",
    ),
    "prowler.providers.aws.aws_provider": ("def fixer_config", "def mutelist"),
    "prowler.providers.common.models": ("class Audit_Metadata", "expected_checks"),
    "prowler.providers.common.provider": ("class Provider", "def get_global_provider"),
    f"{SERVICE}.sagemaker_client": ("sagemaker_client",),
    f"{SERVICE}.sagemaker_service": ("self.sagemaker_models",),
}


class BrokenInstallationError(Exception):
    """The plugin's own folder is not as it must be; the text says why and what to do."""


def take_the_place_of_the_built_in() -> None:
    """Put our folder of checks first on the path of Prowler's SageMaker package, once.

    Where Prowler or this installation is not shaped as expected, one sentence on stderr says so and
    the built-in check stays; nothing is raised, because that would end every `prowler` command.
    Where there is no Prowler, `sagemaker-isolation` may still read what one wrote elsewhere.
    """
    if find_spec("prowler") is None:
        return
    try:
        checks = folder_of_checks()
        path = import_module(SERVICE).__path__
        if checks in path:
            return
        if f"{SERVICE}.{CHECK}" in sys.modules:
            raise ImportError("the built-in check was imported before the plugin")
        for module, definitions in RELIED_ON.items():
            require(module, definitions)
        path.insert(0, checks)
    except BrokenInstallationError as error:
        say_that_the_built_in_answers(str(error))
    except Exception as error:
        say_that_the_built_in_answers(
            f"{error}. Install a version of the plugin that supports this Prowler, or remove the "
            "plugin"
        )


def say_that_the_built_in_answers(why: str) -> None:
    """Print the one sentence; `why` is the reason, and what to do about it."""
    folders = (Path(__file__).parent / "sagemaker").glob("*/*.metadata.json")
    others = sorted({path.parent.name for path in folders} - {CHECK})
    lost = f", and {' and '.join(others)} {'is' if len(others) == 1 else 'are'} not there"
    print(
        f"prowler-sagemaker-network-isolation: Prowler's built-in {CHECK}, which reads one flag "
        f"only, runs instead of the plugin's{lost if others else ''}, because {why}.",
        file=sys.stderr,
    )


def folder_of_checks() -> str:
    """Return the folder that holds the check's folder: `checks` of the repository.

    It is named `sagemaker` here, because Prowler lists a check's service under the name of the
    folder above the check: by the wheel, and by a symbolic link in a checkout. (`metadata` has one
    too: Python started in a checkout finds this package there, and not the installed one.)

    Raises:
        BrokenInstallationError: It is not on disk with the check in it: in a zipped package, or in
            a checkout where git wrote the link as a file (`core.symlinks` is false, as it is by
            default on Windows: https://git-scm.com/docs/git-config).
    """
    folder = Path(__file__).parent / "sagemaker"
    if folder.is_file():
        raise BrokenInstallationError(
            f"{folder} is a file where the repository has a symbolic link. Install the plugin "
            "without -e, or check it out again with git's core.symlinks set to true"
        )
    if not (folder / CHECK / f"{CHECK}.metadata.json").is_file():
        raise BrokenInstallationError(
            f"the plugin's folder {folder} does not hold the check. Install the plugin again, and "
            "not as a zip"
        )
    return str(folder)


def require(module: str, definitions: tuple[str, ...]) -> None:
    """Make sure that a module of Prowler has what the plugin relies on.

    Args:
        module: The module.
        definitions: What its source must have: see `is_defined`.

    Raises:
        ImportError: It does not.
    """
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # its package is not there
        spec = None
    if spec is None or spec.origin is None:
        raise ImportError(f"this Prowler has no {module}")
    source = re.sub("#.*", "", Path(spec.origin).read_text(encoding="utf-8"))
    for definition in definitions:
        if not is_defined(definition, source):
            name = definition.rpartition(".")[2]
            raise ImportError(f"this Prowler has no {name} in {module}")


def is_defined(definition: str, source: str) -> bool:
    """Return whether a source without comments has a name, such as "class Check", or a condition.

    A name may be taken over from another module by an import or an assignment, which may stand in
    a `try`.
    """
    if " in " in definition:
        return definition in source
    name = re.escape(definition.rpartition(" ")[2])
    defined = rf"^\s*{re.escape(definition)}(?:\(|:| = )"
    imported = rf"^(?: {{4}})?from \S+ import (?:\([^)]*|[^(\n]*)\b{name}\b(?! as )"
    assigned = rf"^(?: {{4}})?{name} = "
    return bool(re.search(f"{defined}|{imported}|{assigned}", source, re.MULTILINE))


take_the_place_of_the_built_in()
