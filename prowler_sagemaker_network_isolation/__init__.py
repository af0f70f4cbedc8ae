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

_CHECK = "sagemaker_models_network_isolation_enabled"
_SERVICE = "prowler.providers.aws.services.sagemaker"
# The checks' folder, under the name of the service: Prowler lists a check's service by the name of
# the folder above it. The wheel has it so; in a checkout it is a symbolic link. (`metadata` has one
# too: Python started in a checkout finds this package there, and not the installed one.)
_FOLDER = Path(__file__).parent / "sagemaker"

# What the checks need of Prowler's modules. If one cannot be imported, Prowler logs an error, which
# it does not show by default, and reports nothing. To import the modules here is too early, while
# Prowler reads its configuration, and takes seconds; so their sources are searched for the words.
RELIED_ON = {
    "prowler.lib.check.models": (
        *("Check", "CheckMetadata", "Check_Report_AWS", "Severity"),
        *("resource_arn", "resource_id", "resource_tags"),
    ),
    "prowler.providers.aws.lib.service.service": (
        *("AWSService", "audit_config", "audit_resources", "audited_account"),
        *("audited_account_arn", "get_unknown_arn", "regional_clients", "thread_pool"),
    ),
    "prowler.providers.common.models": ("expected_checks",),
    "prowler.providers.common.provider": ("Provider", "get_global_provider"),
    f"{_SERVICE}.sagemaker_client": ("sagemaker_client",),
    f"{_SERVICE}.sagemaker_service": ("sagemaker_models",),
}


def take_the_place_of_the_built_in() -> None:
    """Put our folder of checks first on the path of Prowler's SageMaker package.

    Where Prowler's own discovery then does not find our checks, or lacks what they need, the folder
    comes off again and one line on stderr says so. Nothing is raised, because that would end every
    `prowler` command. Where there is no Prowler, `sagemaker-isolation` may still read what one
    wrote elsewhere.
    """
    if find_spec("prowler") is None:
        return
    ours = {(path.parent.name, str(path.parent)) for path in _FOLDER.glob("*/*.metadata.json")}
    what = "a version of the plugin that supports this Prowler, or remove the plugin"
    if not ours:
        # A zipped package, or a link that git wrote as a file, as it does by default on Windows:
        # `core.symlinks` of https://git-scm.com/docs/git-config.
        what = "the plugin again: not as a zip, and from a checkout without -e or with git's "
        what += "core.symlinks set to true"
    try:
        _put_first(ours)
    except Exception as error:
        checks = {name for name, _ in ours} or {_CHECK}
        _say_who_answers(f"{error}. Install {what}", checks)


def _put_first(ours: set[tuple[str, str]]) -> None:
    """Put our folder first, and take it off and raise where our checks would not run."""
    if not ours:
        raise LookupError(f"there are none in {_FOLDER}")
    path = import_module(_SERVICE).__path__
    before = set(sys.modules)
    path.insert(0, str(_FOLDER))
    try:
        _require_what_is_relied_on()
        if not ours <= _find_checks():
            raise LookupError(f"this Prowler does not find them in {_FOLDER}")
    except Exception:
        if str(_FOLDER) in path:  # or Prowler has put the path back
            path.remove(str(_FOLDER))
        for name in sys.modules.keys() - before:  # the next walk would go on in what this imported
            if name.startswith(f"{_SERVICE}."):
                del sys.modules[name]
        raise


def _require_what_is_relied_on() -> None:
    for module, words in RELIED_ON.items():
        spec = find_spec(module)
        source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
        there = re.findall(rf"\b(?:{'|'.join(words)})\b", source)
        if missing := ", ".join(sorted(set(words).difference(there))):
            raise LookupError(f"this Prowler has no {missing} in {module}")


def _find_checks() -> set[tuple[str, str]]:
    """Return the name and the folder of each SageMaker check that Prowler's discovery finds."""
    from prowler.lib.check.utils import recover_checks_from_provider  # noqa: PLC0415

    try:
        return set(recover_checks_from_provider("aws", "sagemaker"))
    except SystemExit:  # it logs why
        return set()


def _say_who_answers(why: str, checks: set[str]) -> None:
    """Print the line; `why` is the reason that our checks are not used, and what to do about it."""
    try:
        found = {name for name, _ in _find_checks()}
    except Exception:  # of no more use to the user than `why`
        found = set()
    built_in = ", ".join(sorted(checks & found)) or "none"
    missing = ", ".join(sorted(checks - found)) or "none"
    print(
        f"prowler-sagemaker-network-isolation: the plugin's checks are not used, because {why}. "
        f"Answered by Prowler's built-in check: {built_in}. Answered by no check: {missing}.",
        file=sys.stderr,
    )


take_the_place_of_the_built_in()
