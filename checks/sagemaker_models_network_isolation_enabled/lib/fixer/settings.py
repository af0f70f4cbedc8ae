"""The fixer's setting, in the file of `--fixer-config`: the network of new models, by region."""

from collections.abc import Iterator
from typing import Any

from ..listings import are_ids

VPC_CONFIG = "VpcConfig"
# The ids of CreateModel's VpcConfig: what they begin with, and the most that there may be.
IDS = {"Subnets": ("subnet-", 16), "SecurityGroupIds": ("sg-", 5)}
GONE = {
    "CreateModels": "The plugin changes nothing in AWS any more. Run the script that the plan "
    "writes for each endpoint: it creates the models.",
    "MoveEndpoints": "The plugin changes nothing in AWS any more. Run the script that the plan "
    "writes for each endpoint: it moves the endpoint.",
}

VpcConfigs = dict[str, dict[str, list[str]]]


class SettingsError(Exception):
    """The fixer configuration is not understood; the message says what and where."""


def read_vpc_configs(file: Any, check: str, regions: set[str]) -> VpcConfigs:
    """Return the VpcConfig of new models by region: `aws.<check>.VpcConfig` of the file.

    Args:
        file: All of the fixer configuration, as YAML gives it; None for an empty one.
        check: The check's name.
        regions: The regions that there are.

    Raises:
        SettingsError: Something in it is not understood; nothing is passed over.
    """
    home = f"aws.{check}"
    for path in keys_in(file, {VPC_CONFIG, *GONE, check}):
        if path not in (home, *(f"{home}.{key}" for key in (VPC_CONFIG, *GONE))):
            raise SettingsError(
                f"{path} in the fixer configuration is not where this plugin reads it: its "
                f"settings belong below {home}."
            )
    settings = settings_at(file, check)
    for key in settings:
        if key != VPC_CONFIG:
            why = GONE.get(key, f"is unknown; there is {VPC_CONFIG}.")
            sentence = f"{home}.{key} in the fixer configuration"
            raise SettingsError(f"{sentence}: {why}" if key in GONE else f"{sentence} {why}")
    configs = settings.get(VPC_CONFIG) or {}
    if not isinstance(configs, dict):
        raise SettingsError(f"{home}.{VPC_CONFIG} in the fixer configuration must name regions.")
    for region, config in configs.items():
        where = f"{home}.{VPC_CONFIG}.{region} in the fixer configuration"
        if region not in regions:
            raise SettingsError(f"{where}: AWS has no region of this name.")
        if fault := fault_of(config):
            raise SettingsError(f"{where}{fault}")
    return configs


def fault_of(config: Any) -> str | None:
    """Return what is wrong with a VpcConfig, for a sentence; None where AWS takes it."""
    if not isinstance(config, dict) or set(config) != set(IDS):
        return " must have Subnets and SecurityGroupIds."
    for key, (prefix, most) in IDS.items():
        if not (isinstance(config[key], list) and config[key] and are_ids(config[key], prefix)):
            return f": {key} must be a list of ids {prefix}…"
        if len(config[key]) > most:
            return f": AWS takes {most} {key} at the most."
    return None


def settings_at(file: Any, check: str) -> dict[str, Any]:
    """Return what stands below `aws.<check>`: see `read_vpc_configs`."""
    settings, where = file or {}, "All"
    for key in ("aws", check, ""):
        if not isinstance(settings, dict):
            words = f"{where} in the fixer configuration must be a mapping of settings."
            raise SettingsError(words)
        if key:
            settings, where = settings.get(key) or {}, key if key == "aws" else f"aws.{key}"
    return settings


def keys_in(value: Any, wanted: set[str], path: str = "") -> Iterator[str]:
    """Yield where in a file of YAML one of the keys stands, as "aws.check.VpcConfig"."""
    for key, item in value.items() if isinstance(value, dict) else ():
        here = f"{path}.{key}" if path else str(key)
        if key in wanted:
            yield here
        yield from keys_in(item, wanted, here)
