#!/usr/bin/env bash
# A scan with Prowler's official image, which has no pip: the plugin is a folder that is mounted.
# The outputs of each run are in a folder of their own below output/.
set -euo pipefail

plugin=${PLUGIN:-git+https://github.com/<owner>/prowler-sagemaker-network-isolation@<commit>}
python3 -m pip install --no-deps --ignore-requires-python --upgrade --target plugin "$plugin"
output=output/$(date +%Y-%m-%d-%H%M%S)
mkdir -p "$output"
chmod 777 "$output" # the image's user has the id 1000, whoever you are

docker run --rm \
  --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY --env AWS_SESSION_TOKEN \
  --env AWS_DEFAULT_REGION \
  --env PYTHONPATH=/plugin \
  --volume "$PWD/plugin:/plugin:ro" \
  --volume "$PWD/$output:/home/prowler/output" \
  prowlercloud/prowler:5.46.0 \
  aws --no-banner --no-color --ignore-exit-code-3 \
  --compliance sop_sagemaker_network_isolation_aws \
  soc2_sagemaker_network_isolation_aws hipaa_sagemaker_network_isolation_aws \
  --output-formats csv html json-ocsf json-asff

PYTHONPATH=plugin python3 -m prowler_sagemaker_network_isolation report "$output" --checks \
  sagemaker_models_network_isolation_enabled \
  sagemaker_endpoint_configs_network_isolation_enabled \
  sagemaker_monitoring_schedule_network_isolation_enabled
