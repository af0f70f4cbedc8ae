"""What keeps a container from working isolated: without any network, and without credentials.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html. What the
code in an image does is not seen, and no value of an environment is ever written.
"""

import re
from collections.abc import Iterator
from typing import Any

from .serving import Description

# The page above names Chainer and SageMaker RL.
_NOT_ISOLATED = re.compile(r"/sagemaker-(chainer|rl)\b")
_REMOTE = re.compile(r"\b(s3|https?)://", re.IGNORECASE)
# Where SageMaker's containers take a model of the Hugging Face Hub from, if it is no path:
# https://docs.djl.ai/master/docs/serving/serving/docs/lmi/deployment_guide/configurations.html,
# https://aws.github.io/deep-learning-containers/vllm/deployment/sagemaker/
_HUB_VARIABLES = {"HF_MODEL_ID", "OPTION_MODEL_ID", "SM_VLLM_MODEL"}
# The SDK's script mode; with isolation on, the SDK itself repacks the artifact instead
# (https://github.com/aws/sagemaker-python-sdk/pull/2626).
_SCRIPT_MODE = "SAGEMAKER_SUBMIT_DIRECTORY"


def _containers(model: Description) -> Iterator[tuple[dict[str, Any], str, dict[str, str]]]:
    """Yield each container of a model, with its image and its environment."""
    primary = model.sent.get("PrimaryContainer")
    for one in [*([primary] if primary else ()), *(model.sent.get("Containers") or ())]:
        yield one, one.get("Image", ""), one.get("Environment") or {}


def obstacle_to_isolation(model: Description) -> str | None:
    """Return why a container of a model cannot work isolated; None where nothing is seen."""
    for _, image, environment in _containers(model):
        if _NOT_ISOLATED.search(image):
            return (
                f"container {image} of model {model.name} needs Amazon S3 while it runs, so AWS "
                "does not support network isolation for it. Serve the model from another container."
            )
        if _REMOTE.match(environment.get(_SCRIPT_MODE, "")):
            return (
                f"container {image} of model {model.name} is in script mode: it fetches its code "
                f"when it starts ({_SCRIPT_MODE}), which an isolated one cannot. Repack the "
                f"artifact with the code in its folder code/, and set {_SCRIPT_MODE} to "
                "/opt/ml/model/code."
            )
    return None


def notes_on_containers(model: Description) -> Iterator[str]:
    """Yield a sentence for each thing that may keep a container from working isolated."""
    for container, image, environment in _containers(model):
        for variable, value in environment.items():
            place = None
            if remote := _REMOTE.search(value):
                place = "Amazon S3" if remote[1].lower() == "s3" else "a web address"
            elif variable in _HUB_VARIABLES and not value.startswith(("/", ".")):
                place = "a model of the Hugging Face Hub"
            if place:
                yield (
                    f"{variable} of container {image} names {place}, which an isolated container "
                    "cannot reach. Give it the artifact by ModelDataUrl."
                )
        if package := container.get("ModelPackageName"):
            yield (
                f"{package}: a model package of AWS Marketplace runs with network isolation only, "
                "so every later copy must keep it on."
            )
        if (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc":
            yield f"{image} is pulled through the VPC: its registry must be reachable from there."
