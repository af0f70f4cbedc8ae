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

OneOf = str | tuple[str, ...]  # a name, or several of which one is enough

# All of Prowler that the checks rely on: modules, and what the source of each must define or import
# from elsewhere. For a Prowler before and after a move, write a tuple: of the two modules, or of
# the two names. They are read as text: importing the modules here would cost every `prowler`
# command seconds, and parsing them some forty milliseconds where this takes two.
RELIED_ON: dict[OneOf, tuple[OneOf, ...]] = {
    "prowler.config.config": ("default_output_directory", "output_file_timestamp"),
    "prowler.lib.check.models": ("class Check", "class Check_Report_AWS", "def metadata"),
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
    folder above the check: by the wheel, and by a symbolic link in a checkout.

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


def require(modules: OneOf, definitions: tuple[OneOf, ...]) -> None:
    """Make sure that a module of Prowler has what the checks rely on.

    Args:
        modules: The module, or several of which one must have it all.
        definitions: What its source must define, such as "class Check"; of several in a tuple, one.

    Raises:
        ImportError: It does not.
    """
    lacks = [what_it_lacks(module, definitions) for module in one_of(modules)]
    if all(lacks):
        raise ImportError(f"this Prowler has no {' and no '.join(filter(None, lacks))}")


def what_it_lacks(module: str, definitions: tuple[OneOf, ...]) -> str | None:
    """Return what a module lacks first, which may be the module itself; None where all is there."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # its package is not there
        spec = None
    if spec is None or spec.origin is None:
        return module
    source = re.sub("#.*", "", Path(spec.origin).read_text(encoding="utf-8"))
    for definition in definitions:
        if not any(is_defined(name, source) for name in one_of(definition)):
            plain = " or ".join(name.rpartition(".")[2] for name in one_of(definition))
            return f"{plain} in {module}"
    return None


def one_of(names: OneOf) -> tuple[str, ...]:
    """Return the names of which one is enough."""
    return (names,) if isinstance(names, str) else names


def is_defined(definition: str, source: str) -> bool:
    """Return whether a source without comments has a name, such as "class Check".

    Defined, or taken over from another module by an import or an assignment, which may stand in a
    `try`.
    """
    name = re.escape(definition.rpartition(" ")[2])
    defined = rf"^\s*{re.escape(definition)}(?:\(|:| = )"
    imported = rf"^(?: {{4}})?from \S+ import (?:\([^)]*|[^(\n]*)\b{name}\b(?! as )"
    assigned = rf"^(?: {{4}})?{name} = "
    return bool(re.search(f"{defined}|{imported}|{assigned}", source, re.MULTILINE))


take_the_place_of_the_built_in()
