"""What keeps a container from working isolated: without any network, and without credentials.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html. What the
code in an image does is not seen, and no value of an environment is ever printed.
"""

import re
from collections.abc import Iterator
from typing import Any

from .descriptions import Description

# The page above names Chainer and SageMaker RL.
NOT_ISOLATED = re.compile(r"/sagemaker-(chainer|rl)\b")
REMOTE = re.compile(r"\b(s3|https?)://", re.IGNORECASE)
# Where SageMaker's containers take a model of the Hugging Face Hub from, if it is no path:
# https://docs.djl.ai/master/docs/serving/serving/docs/lmi/deployment_guide/configurations.html,
# https://aws.github.io/deep-learning-containers/vllm/deployment/sagemaker/
HUB_VARIABLES = {"HF_MODEL_ID", "OPTION_MODEL_ID", "SM_VLLM_MODEL"}
# The SDK's script mode; with isolation on, the SDK itself repacks the artifact instead
# (https://github.com/aws/sagemaker-python-sdk/pull/2626).
SCRIPT_MODE = "SAGEMAKER_SUBMIT_DIRECTORY"


def containers_of(model: Description) -> list[dict[str, Any]]:
    """Return the containers of a model, one or several."""
    primary = model.sent.get("PrimaryContainer")
    return ([primary] if primary else []) + list(model.sent.get("Containers") or [])


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's environment variables."""
    return container.get("Environment") or {}


def obstacle_to_isolation(model: Description) -> str | None:
    """Return why a container of a model cannot work isolated; None where nothing is seen."""
    for container in containers_of(model):
        image = container.get("Image", "")
        if NOT_ISOLATED.search(image):
            return (
                f"container {image} of model {model.name} needs Amazon S3 while it runs, so AWS "
                "does not support network isolation for it. Serve the model from another container."
            )
        if REMOTE.match(environment_of(container).get(SCRIPT_MODE, "")):
            return (
                f"container {image} of model {model.name} is in script mode: it fetches its code "
                f"when it starts ({SCRIPT_MODE}), which an isolated one cannot. Repack the "
                f"artifact with the code in its folder code/, and set {SCRIPT_MODE} to "
                "/opt/ml/model/code."
            )
    return None


def notes_on_containers(model: Description) -> Iterator[str]:
    """Yield a sentence for each thing that may keep a container from working isolated."""
    for container in containers_of(model):
        image = container.get("Image", "")
        for variable, value in environment_of(container).items():
            if remote := REMOTE.search(value):
                kind = "Amazon S3" if remote[1].lower() == "s3" else "a web address"
                yield (
                    f"Note: {variable} of container {image} names {kind}, which an isolated "
                    "container cannot reach. Give it the artifact by ModelDataUrl."
                )
            elif variable in HUB_VARIABLES and not value.startswith(("/", ".")):
                yield (
                    f"Note: {variable} of container {image} names a model of the Hugging Face Hub, "
                    "which an isolated container cannot reach. Give it the artifact by "
                    "ModelDataUrl."
                )
        if container.get("ModelPackageName"):
            yield (
                f"Note: container of model package {container['ModelPackageName']}: a package of "
                "AWS Marketplace runs with network isolation only, so every later copy must keep "
                "it on."
            )
        if (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc":
            yield (
                f"Note: {image} is pulled through the VPC, so the registry must be reachable from "
                "the subnets of the new model."
            )
