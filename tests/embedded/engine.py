"""Prowler's engine in this process: a scan without the ten seconds that Prowler's start costs.

The HTTP, botocore and Prowler layers are the real ones, against the embedded AWS; what is left out
is the command line and the output files.
"""

import functools
import os
import re
import sys
from collections.abc import Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import prowler.providers.aws.services.sagemaker as prowlers_sagemaker
from prowler.lib.check.check import execute, import_check
from prowler.providers.aws.aws_provider import AwsProvider
from prowler.providers.common.models import Audit_Metadata
from prowler.providers.common.provider import Provider

from .installation import CHECK, ROOT, access
from .server import EmbeddedAWS

# Each scan has a session of its own, for which botocore would read the APIs' models again: most of
# what a scan takes in process.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

SERVICE = prowlers_sagemaker.__name__
CLIENT = f"{SERVICE}.sagemaker_client"
times = count(20260101000000)
SISTER = "sagemaker_models_vpc_settings_configured"  # Prowler's, which reads models too


def take_the_place() -> None:
    """Put the checkout's check first, as the plugin does in an installation."""
    checks = str(ROOT / "checks")
    if checks not in prowlers_sagemaker.__path__:
        prowlers_sagemaker.__path__.insert(0, checks)


@contextmanager
def environment(aws: EmbeddedAWS, **variables: str) -> Any:
    """Have the variables of a run against the embedded AWS, and no others of AWS."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with mock.patch.dict(os.environ, {**kept, **access(aws), **variables}, clear=True):
        yield


def provider(aws: EmbeddedAWS, *regions: str, **arguments: Any) -> AwsProvider:
    """Return Prowler's AWS provider for some regions of the embedded AWS.

    Args:
        regions: The regions to scan.
        arguments: Further arguments of `AwsProvider`.
    """
    with environment(aws):
        return AwsProvider(regions=set(regions), **{"config_content": {}, **arguments})


def scan(
    aws: EmbeddedAWS,
    made: AwsProvider,
    checks: Sequence[str] = (CHECK,),
    wanted: str | Sequence[str] = CHECK,
    keep_client: bool = False,
) -> list[Any]:
    """Run checks as Prowler's command line and application do.

    Args:
        made: The provider, which may serve several scans.
        checks: The checks of the scan, in the order in which they run.
        wanted: The check whose findings are wanted, or several.
        keep_client: Whether a SageMaker client that an earlier scan left is still loaded, as in a
            process that scans one account after the other.

    Returns:
        Their findings (`Check_Report_AWS`), in the order of region and name.
    """
    take_the_place()
    made.audit_metadata = Audit_Metadata(
        services_scanned=0, expected_checks=list(checks), completed_checks=0, audit_progress=0
    )
    if not keep_client:
        sys.modules.pop(CLIENT, None)
    findings: list[Any] = []
    with environment(aws), mock.patch.object(Provider, "_global", made):
        for name in checks:
            for module in [m for m in sys.modules if m.endswith(f".{name}.{name}")]:
                del sys.modules[module]  # it may hold the client of the scan before
            module_name = f"{SERVICE}.{name}.{name}"
            run = getattr(import_check(module_name), name)()
            found = execute(run, made, None, None)
            if name in ((wanted,) if isinstance(wanted, str) else wanted):
                findings += found
    sys.modules.pop(CLIENT, None)
    return sorted(findings, key=lambda finding: (finding.region, finding.resource_id))


def fix(
    aws: EmbeddedAWS,
    models: Sequence[tuple[str, str]],
    output: Path,
    settings: Any = None,
    **arguments: Any,
) -> str:
    """Run the fixer on the models of one scan, as Prowler's `run_fixer` does; no run is of a time.

    Args:
        models: The name and the region of each.
        output: Prowler's --output-directory.
        settings: What stands below `aws.<check>` in the fixer configuration.
        arguments: Further arguments of `AwsProvider`.

    Returns:
        What the fixer printed.
    """
    take_the_place()
    given = {"fixer_config": {CHECK: settings}, "retries_max_attempts": 0, **arguments}
    made = provider(aws, *{region for _, region in models}, **given)
    made.audit_metadata = Audit_Metadata(
        services_scanned=0, expected_checks=[CHECK], completed_checks=0, audit_progress=0
    )
    command = ["prowler", "aws", "--fixer", "--output-directory", str(output)]
    module = import_check(f"{SERVICE}.{CHECK}.{CHECK}_fixer")
    with (
        environment(aws),
        mock.patch.object(Provider, "_global", made),
        mock.patch.object(sys, "argv", command),
        mock.patch.object(module, "output_file_timestamp", str(next(times))),
        redirect_stdout(StringIO()) as printed,
    ):
        for name, region in models:
            assert module.fixer(resource_id=name, region=region) is False
    return printed.getvalue()


@contextmanager
def stale_client(aws: EmbeddedAWS, made: AwsProvider) -> Any:
    """Have Prowler's SageMaker client of another account loaded, as an earlier scan leaves it."""
    made.audit_metadata = Audit_Metadata(
        services_scanned=0, expected_checks=[], completed_checks=0, audit_progress=0
    )
    with environment(aws), mock.patch.object(Provider, "_global", made):
        sys.modules.pop(CLIENT, None)
        import_check(CLIENT)
    yield
    sys.modules.pop(CLIENT, None)


def said(findings: list[Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return what findings say, by region and model: status, reason, tags and evidence.

    What serves the models is left out, because Search alone tells it.
    """
    return {
        (f.region, f.resource_id): (
            f.status,
            without_serving(f.status_extended),
            f.resource_tags,
            {
                key: value
                for key, value in f.resource.items()
                if key not in ("endpoints", "transform_jobs", "monitored_endpoints")
            },
        )
        for f in findings
    }


def without_serving(text: str) -> str:
    """Return a finding's text without its last sentence, where that says which endpoints use it."""
    used = r"It (serves|is used by) endpoints? [^:;]*|No endpoint is seen to (serve|use) it"
    return re.sub(rf" ({used}|It (monitors|uses) [^:]*)\.$", "", text)
