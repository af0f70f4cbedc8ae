"""What keeps a container from working isolated: without any network, and without credentials.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html. What the
code in an image does is not seen, and no value of an environment is ever written.
"""

import re
from collections.abc import Iterator

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


def obstacle_to_isolation(model: Description) -> str | None:
    """Return why a container of a model cannot work isolated; None where nothing is seen."""
    for container in model.containers:
        image = f"container {container.get('Image')} of model {model.name}"
        if _NOT_ISOLATED.search(image):
            return (
                f"{image} needs Amazon S3 while it runs, so AWS does not support network isolation "
                "for it. Serve the model from another container."
            )
        if _REMOTE.match((container.get("Environment") or {}).get(_SCRIPT_MODE, "")):
            return (
                f"{image} is in script mode: it fetches its code when it starts ({_SCRIPT_MODE}), "
                "which an isolated one cannot. Repack the artifact with the code in its folder "
                f"code/, and set {_SCRIPT_MODE} to /opt/ml/model/code."
            )
    return None


def notes_on_containers(model: Description) -> Iterator[str]:
    """Yield a sentence for each thing that may keep a container from working isolated."""
    for container in model.containers:
        image = container.get("Image")
        for variable, value in (container.get("Environment") or {}).items():
            is_hub = variable in _HUB_VARIABLES and not value.startswith(("/", "."))
            if _REMOTE.search(value) or is_hub:
                place = "a model of the Hugging Face Hub" if is_hub else "Amazon S3 or the web"
                yield f"{variable} of container {image} names {place}: give it by ModelDataUrl."
        if package := container.get("ModelPackageName"):
            yield f"{package}: a package of AWS Marketplace runs with network isolation only."
        if (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc":
            yield f"{image} is pulled through the VPC: its registry must be reachable from there."
