#!/usr/bin/env bash
# A scan with Prowler's official image, which has no pip: the plugin is a folder that is mounted.
set -euo pipefail

python3 -m pip install --no-deps --upgrade --target plugin ./prowler-sagemaker-network-isolation
mkdir -p output
chmod 777 output # the image's user has the id 1000, whoever you are

docker run --rm \
  --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY --env AWS_SESSION_TOKEN \
  --env AWS_DEFAULT_REGION \
  --env PYTHONPATH=/plugin \
  --volume "$PWD/plugin:/plugin:ro" \
  --volume "$PWD/output:/home/prowler/output" \
  prowlercloud/prowler:5.46.0 \
  aws --no-banner --no-color \
  --compliance sop_sagemaker_network_isolation_aws \
  --output-formats csv html json-ocsf json-asff
