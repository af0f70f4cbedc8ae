"""What the fixer is asked to do: its settings in the file of `--fixer-config`."""

from dataclasses import dataclass, fields
from typing import Any

from ..listings import are_ids
from .messages import StoppedError

VPC_CONFIG_KEYS = {"Subnets": "subnet-", "SecurityGroupIds": "sg-"}


@dataclass(frozen=True)
class FixerSettings:
    """The settings under the check's name in the fixer configuration's `aws` section.

    Attributes:
        CreateModels: Whether replacements are created; False prints what would be done.
        MoveEndpoints: Whether endpoints are moved to the replacements.
        VpcConfig: By region the VpcConfig, as CreateModel takes it, for models whose own is not
            private and controlled.
    """

    CreateModels: bool = False
    MoveEndpoints: bool = False
    VpcConfig: dict[str, dict[str, list[str]]] | None = None

    @classmethod
    def read(cls, fixer_config: dict[str, Any], key: str) -> "FixerSettings":
        """Return the settings.

        Args:
            fixer_config: The `aws` section, as Prowler read it.
            key: The key in it: the check's name.

        Raises:
            StoppedError: Something in them is not understood; nothing is passed over.
        """
        settings = fixer_config.get(key)
        known = [field.name for field in fields(cls)]
        if not isinstance(settings, dict | None):
            raise StoppedError(
                f"aws.{key} in the fixer configuration must be a mapping of settings."
            )
        for name, value in (settings or {}).items():
            where = f"aws.{key}.{name} in the fixer configuration"
            if name not in known:
                raise StoppedError(f"{where} is unknown; there are {', '.join(known)}.")
            if name != "VpcConfig" and not isinstance(value, bool):
                raise StoppedError(f"{where} is {value!r}; it must be true or false.")
            if name == "VpcConfig" and not are_vpc_configs(value):
                raise StoppedError(
                    f"{where} must name regions, and for each its Subnets (subnet-…) and "
                    "SecurityGroupIds (sg-…) as lists."
                )
        read = cls(**(settings or {}))
        if read.MoveEndpoints and not read.CreateModels:
            raise StoppedError(
                f"aws.{key}.MoveEndpoints in the fixer configuration needs CreateModels: true."
            )
        return read


def are_vpc_configs(value: Any) -> bool:
    """Return whether a value gives CreateModel's VpcConfig by region."""
    return isinstance(value, dict) and all(
        isinstance(config, dict)
        and set(config) == set(VPC_CONFIG_KEYS)
        and all(ids and are_ids(ids, VPC_CONFIG_KEYS[key]) for key, ids in config.items())
        for config in value.values()
    )
