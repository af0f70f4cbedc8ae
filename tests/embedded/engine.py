"""Prowler's engine in this process: a scan without the ten seconds that Prowler's start costs.

The HTTP, botocore and Prowler layers are the real ones, against the embedded AWS; what is left out
is the command line and the output files.
"""

import functools
import os
import re
import sys
from collections.abc import Iterator, Sequence
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
# Put the checkout's checks first, as the plugin does in an installation.
prowlers_sagemaker.__path__.insert(0, str(ROOT / "checks"))

SERVICE = prowlers_sagemaker.__name__
CLIENT = f"{SERVICE}.sagemaker_client"
SISTER = "sagemaker_models_vpc_settings_configured"  # Prowler's, which reads models too
times = count(20260101000000)


@contextmanager
def environment(aws: EmbeddedAWS) -> Iterator[None]:
    """Have the variables of a run against the embedded AWS, and no others of AWS."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with mock.patch.dict(os.environ, {**kept, **access(aws)}, clear=True):
        yield


def provider(aws: EmbeddedAWS, *regions: str, **arguments: Any) -> AwsProvider:
    """Return Prowler's AWS provider for some regions, with further arguments of `AwsProvider`."""
    with environment(aws):
        return AwsProvider(regions=set(regions), **{"config_content": {}, **arguments})


@contextmanager
def in_effect(aws: EmbeddedAWS, made: AwsProvider, checks: Sequence[str]) -> Iterator[None]:
    """Have a provider be Prowler's, of a scan with these checks."""
    made.audit_metadata = Audit_Metadata(
        services_scanned=0, expected_checks=list(checks), completed_checks=0, audit_progress=0
    )
    with environment(aws), mock.patch.object(Provider, "_global", made):
        yield


def scan(
    aws: EmbeddedAWS,
    made: AwsProvider,
    checks: Sequence[str] = (CHECK,),
    wanted: str | Sequence[str] = CHECK,
    keep_client: bool = False,
) -> list[Any]:
    """Run checks as Prowler's command line and application do, and return sorted findings.

    Args:
        made: The provider, which may serve several scans.
        checks: The checks of the scan, in the order in which they run.
        wanted: The check whose findings are wanted, or several.
        keep_client: Whether a SageMaker client that an earlier scan left stays loaded.
    """
    if not keep_client:
        sys.modules.pop(CLIENT, None)
    findings: list[Any] = []
    with in_effect(aws, made, checks):
        for name in checks:
            for module in [m for m in sys.modules if m.endswith(f".{name}.{name}")]:
                del sys.modules[module]  # it may hold the client of the scan before
            run = getattr(import_check(f"{SERVICE}.{name}.{name}"), name)()
            found = execute(run, made, None, None)
            if name in ((wanted,) if isinstance(wanted, str) else wanted):
                findings += found
    sys.modules.pop(CLIENT, None)
    return sorted(findings, key=lambda finding: (finding.region, finding.resource_id))


def load_client(aws: EmbeddedAWS, made: AwsProvider) -> None:
    """Load Prowler's SageMaker client of a scan, as it stays loaded afterwards."""
    sys.modules.pop(CLIENT, None)
    with in_effect(aws, made, ()):
        import_check(CLIENT)


def fix(
    aws: EmbeddedAWS,
    models: Sequence[tuple[str, str]],
    output: Path,
    settings: Any = None,
    **arguments: Any,
) -> str:
    """Run the fixer as Prowler's `run_fixer` does, at a time of its own; return what it printed.

    Args:
        models: The name and the region of each model of one scan.
        output: Prowler's --output-directory.
        settings: What stands below `aws.<check>` in the fixer configuration.
        arguments: Further arguments of `AwsProvider`.
    """
    given = {"fixer_config": {CHECK: settings}, "retries_max_attempts": 0, **arguments}
    made = provider(aws, *{region for _, region in models}, **given)
    command = ["prowler", "aws", "--fixer", "--output-directory", str(output)]
    module = import_check(f"{SERVICE}.{CHECK}.{CHECK}_fixer")
    with (
        in_effect(aws, made, [CHECK]),
        mock.patch.object(sys, "argv", command),
        mock.patch.object(module, "output_file_timestamp", str(next(times))),
        redirect_stdout(StringIO()) as printed,
    ):
        for name, region in models:
            assert module.fixer(resource_id=name, region=region) is False
    return printed.getvalue()


def said(findings: list[Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return what findings say, by region and model: status, reason, tags and evidence.

    What serves the models is left out, because Search alone tells it.
    """
    used = r" (It (serves|is used by) endpoints? [^:;]*|No endpoint is seen to (serve|use) it)\.$"
    told_by_search = {"endpoints", "other_uses"}
    return {
        (f.region, f.resource_id): (
            f.status,
            re.sub(used, "", f.status_extended),
            f.resource_tags,
            {key: value for key, value in f.resource.items() if key not in told_by_search},
        )
        for f in findings
    }
