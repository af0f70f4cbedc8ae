#!/bin/sh
# Rolls back what the fixer of sagemaker_models_network_isolation_enabled changed in one AWS account.
# Run it with the AWS CLI and credentials of that account. It can be run again. Its exit code is 0
# only if every endpoint is back and every copy is deleted; what it leaves, it says.
# shellcheck disable=SC2030,SC2031 # parts run in subshells, so that a failure stops one part alone
# shellcheck disable=SC2317,SC2329 # a script need not call every function

set -fu
AWS_PAGER=''
export AWS_PAGER
newline='
'
exit_code=0
kept='' # the endpoint configurations of endpoints that did not go back, one a line
used=''

say() {
  printf '%s\n' "$*"
}

stop() {
  say "$*"
  exit 1
}

# check_account ACCOUNT REGION: stops unless the credentials are of the account.
check_account() {
  account=$(aws sts get-caller-identity --region="$2" --query=Account --output=text) ||
    stop "AWS does not tell whose credentials these are, so nothing is changed."
  [ "$account" = "$1" ] ||
    stop "These credentials are of AWS account $account, and this rolls back account $1: nothing is changed."
}

# roll_back_endpoint REGION ENDPOINT OLD_CONFIG OPTIONS NEW_CONFIG...: keeps the copies if it fails.
roll_back_endpoint() {
  update_back "$@" && return
  exit_code=1
  shift 4
  for config in "$@"; do
    kept="$kept$config$newline"
  done
}

# update_back REGION ENDPOINT OLD_CONFIG OPTIONS NEW_CONFIG...: has the endpoint use its old
# configuration again, if it uses the new one now.
update_back() (
  region=$1 endpoint=$2 old=$3 options=$4
  shift 4
  read_endpoint || stop "Endpoint $endpoint cannot be read, so it is left as it is."
  if is_under_way && is_among "$pending" "$old" "$@"; then
    wait_for_endpoint || stop "Endpoint $endpoint cannot be read, so it is left as it is."
  fi
  if [ "$status/$current/$pending" = "InService/$old/None" ]; then
    say "Endpoint $endpoint uses $old."
    exit 0
  fi
  if ! is_among "$current" "$old" "$@" || ! is_among "$pending" None "$old" "$@"; then
    stop "Endpoint $endpoint is $status and uses $current (pending: $pending), which the fixer did not set:" \
      "a colleague, a pipeline or a stack has deployed since, so it is left as it is. CloudTrail tells who:" \
      "aws cloudtrail lookup-events --region=$region --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateEndpoint"
  fi
  is_among "$status" InService UpdateRollbackFailed ||
    stop "Endpoint $endpoint is $status, so it is left as it is. Run this again when it is InService."
  is_there endpoint-config "$old" ||
    stop "Endpoint configuration $old is gone or cannot be read, so endpoint $endpoint goes on with $current."
  models=$(models_of "$old") || stop "The models of $old cannot be read, so endpoint $endpoint is left as it is."
  for model in $models; do
    is_there model "$model" ||
      stop "Model $model of $old is gone or cannot be read, so endpoint $endpoint goes on with $current."
  done
  say "Updating endpoint $endpoint from $current to $old."
  # shellcheck disable=SC2086 # options without blanks
  aws sagemaker update-endpoint --region="$region" --endpoint-name="$endpoint" \
    --endpoint-config-name="$old" $options >/dev/null ||
    say "AWS did not take the update of endpoint $endpoint."
  wait_for_endpoint || stop "Endpoint $endpoint cannot be read, so it is not known what it uses."
  [ "$status/$current" = "InService/$old" ] ||
    stop "Endpoint $endpoint is $status and uses $current, not $old. Run this again when you know why."
  say "Endpoint $endpoint uses $old."
)

# read_endpoint: sets status, current and pending ("None" for none).
read_endpoint() {
  state=$(aws sagemaker describe-endpoint --region="$region" --endpoint-name="$endpoint" --output=text \
    --query='[EndpointStatus, EndpointConfigName, PendingDeploymentSummary.EndpointConfigName]') || return 1
  read -r status current pending <<EOF
$state
EOF
}

is_under_way() {
  is_among "$status" Creating Updating SystemUpdating RollingBack
}

# wait_for_endpoint: reads it until nothing is under way, for an hour at most.
wait_for_endpoint() {
  looks=0
  while read_endpoint; do
    is_under_way && [ "$looks" -lt 360 ] || return 0
    looks=$((looks + 1))
    say "Endpoint $endpoint is $status; waiting."
    sleep 10
  done
  return 1
}

# is_among WORD WORD...: whether the first is one of the others.
is_among() {
  word=$1
  shift
  for other in "$@"; do
    [ "$word" != "$other" ] || return 0
  done
  return 1
}

# is_there model|endpoint-config NAME: 0 if it is, 1 if it is not, 2 if AWS does not tell.
is_there() {
  if [ "$1" = model ]; then key=Models field=ModelName; else key=EndpointConfigs field=EndpointConfigName; fi
  found=$(aws sagemaker "list-$1s" --region="$region" --name-contains="$2" --output=text \
    --query="${key}[].[$field]") || return 2
  printf '%s\n' "$found" | grep -Fqx -e "$2"
}

# models_of CONFIG: prints the models that an endpoint configuration names.
models_of() {
  aws sagemaker describe-endpoint-config --region="$region" --endpoint-config-name="$1" --output=text \
    --query='[ProductionVariants, ShadowProductionVariants][][].ModelName'
}

# find_what_serves REGION: sets used to the configurations and models that must stay.
find_what_serves() {
  region=$1
  used=$(print_what_serves) || used=unknown
}

# print_what_serves: what the endpoints and inference components use, and what was kept, one a line.
print_what_serves() (
  configs=$kept
  endpoints=$(aws sagemaker list-endpoints --region="$region" --query='Endpoints[].[EndpointName]' --output=text) || exit 1
  for endpoint in $endpoints; do
    read_endpoint || exit 1
    configs="$configs$newline$current"
    [ "$pending" = None ] || configs="$configs$newline$pending"
  done
  for config in $(printf '%s\n' "$configs" | sort -u); do
    models=$(models_of "$config") || exit 1
    say "endpoint-config $config"
    for model in $models; do say "model $model"; done
  done
  components=$(aws sagemaker list-inference-components --region="$region" --output=text \
    --query='InferenceComponents[].[InferenceComponentName]') || exit 1
  for component in $components; do
    model=$(aws sagemaker describe-inference-component --region="$region" --output=text \
      --inference-component-name="$component" --query=Specification.ModelName) || exit 1
    say "model $model"
  done
)

# delete_copy REGION model|endpoint-config NAME: deletes what the fixer created, if nothing uses it.
delete_copy() {
  region=$1
  is_there "$2" "$3"
  case $? in
    1) return ;;
    2) used=unknown ;;
  esac
  if [ "$used" = unknown ]; then
    say "What serves in $region cannot be read, so $2 $3 is kept."
    exit_code=1
  elif printf '%s\n' "$used" | grep -Fqx -e "$2 $3"; then
    say "The $2 $3 is in use, so it is kept."
    exit_code=1
  elif aws sagemaker "delete-$2" --region="$region" "--$2-name=$3"; then
    say "Deleted $2 $3."
  else
    say "AWS did not delete $2 $3."
    exit_code=1
  fi
}

finish() {
  if [ "$exit_code" -eq 0 ]; then
    say "Everything is rolled back."
  else
    say "Not everything is rolled back: see above."
  fi
  exit "$exit_code"
}
