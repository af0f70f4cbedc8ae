#!/bin/sh
# Rolls back what the fixer of sagemaker_models_network_isolation_enabled changed in one AWS account.
# Run it with the AWS CLI and credentials of that account. It can be run again. Its exit code is 0
# only if every endpoint is back and every copy is deleted; what it leaves, it says.
# shellcheck disable=SC2030,SC2031 # parts run in subshells, so that a failure stops one part alone
# shellcheck disable=SC2317,SC2329 # a script need not call every function
# shellcheck disable=SC2086 # names and options have no blanks, and set -f leaves them as they are

set -fu
AWS_PAGER=''
export AWS_PAGER
exit_code=0

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
    stop "The AWS account of these credentials cannot be determined, so nothing is changed."
  [ "$account" = "$1" ] ||
    stop "These credentials are of AWS account $account, and this rolls back account $1: nothing is changed."
}

# in_region REGION: what follows is there. Nothing is deleted before find_what_serves has read all.
in_region() {
  region=$1
  kept=''                 # ENDPOINT/CONFIG for the fixer's configurations of endpoints that did not go back
  unread="What serves"    # what could not be read
  used='' may_be_used=''  # model/NAME and endpoint-config/NAME
}

# roll_back_endpoint ENDPOINT OLD_CONFIG OPTIONS NEW_CONFIG...: keeps the copies if it fails.
roll_back_endpoint() {
  update_back "$@" && return
  exit_code=1
  endpoint=$1
  shift 3
  for config in "$@"; do
    kept="$kept $endpoint/$config"
  done
}

# update_back ENDPOINT OLD_CONFIG OPTIONS NEW_CONFIG...: has the endpoint use its old
# configuration again, if it uses the new one now.
update_back() (
  endpoint=$1 old=$2 options=$3
  shift 3
  read_endpoint || stop "Endpoint $endpoint cannot be read, so it is left as it is."
  if is_under_way && is_among "$pending" "$old" "$@"; then
    wait_for_endpoint || stop "Endpoint $endpoint cannot be read, so it is left as it is."
  fi
  if [ "$status/$current/$pending" = "InService/$old/-" ]; then
    say "Endpoint $endpoint uses $old."
    exit 0
  fi
  if ! is_among "$current" "$old" "$@" || ! is_among "$pending" - "$old" "$@"; then
    stop "Endpoint $endpoint is $status and uses $current (pending: $pending), which the fixer did not set:" \
      "a colleague, a pipeline or a stack has deployed since, so it is left as it is. To see who, run:" \
      "aws cloudtrail lookup-events --region=$region --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateEndpoint"
  fi
  [ "$status" != Failed ] ||
    stop "Endpoint $endpoint is Failed. A Failed endpoint can only be deleted: delete it, and create it again from $old."
  is_among "$status" InService UpdateRollbackFailed ||
    stop "Endpoint $endpoint is $status, so it is left as it is. Run this again when it is InService."
  is_there endpoint-config "$old" ||
    stop "Endpoint configuration $old is gone or cannot be read, so endpoint $endpoint stays on $current."
  models=$(models_of "$old") || stop "The models of $old cannot be read, so endpoint $endpoint is left as it is."
  for model in $models; do
    is_there model "$model" ||
      stop "Model $model of $old is gone or cannot be read, so endpoint $endpoint stays on $current."
  done
  seen=$status/$current/$pending
  read_endpoint || stop "Endpoint $endpoint cannot be read, so it is left as it is."
  [ "$status/$current/$pending" = "$seen" ] ||
    stop "Endpoint $endpoint has just changed: it is $status and uses $current, so it is left as it is. Run this again."
  say "Updating endpoint $endpoint to $old."
  aws sagemaker update-endpoint --region="$region" --endpoint-name="$endpoint" \
    --endpoint-config-name="$old" $options >/dev/null ||
    say "AWS rejected the update of endpoint $endpoint, or its answer was lost."
  wait_for_endpoint || stop "Endpoint $endpoint cannot be read, so it is not known what it uses."
  [ "$status/$current" = "InService/$old" ] ||
    stop "Endpoint $endpoint is $status and uses $current, not $old. Run this again when you know why."
  say "Endpoint $endpoint uses $old."
)

# ask COMMAND OPTIONS...: prints the names that AWS answers, one a line. The query puts "-", which is no
# name, before them: an answer of no names is then not empty, and one that is empty is none.
ask() {
  answer=$(aws sagemaker "$@" --region="$region" --output=text) || return 1
  set -- $answer
  [ "${1-}" = - ] || return 1
  for word in "$@"; do
    [ "$word" = - ] || say "$word" || return 1
  done
}

# read_endpoint: sets status, current and pending ("-" for none).
read_endpoint() {
  state=$(aws sagemaker describe-endpoint --region="$region" --endpoint-name="$endpoint" --output=text \
    --query="[EndpointStatus, EndpointConfigName, PendingDeploymentSummary.EndpointConfigName || '-']") || return 1
  read -r status current pending <<EOF
$state
EOF
  [ -n "$pending" ]
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

# is_among WORD WORD...: whether the first is one of the others; by the shell alone, because a grep
# that is missing says no.
is_among() {
  sought=$1
  shift
  for other in "$@"; do
    [ "$sought" != "$other" ] || return 0
  done
  return 1
}

# is_there model|endpoint-config NAME: 0 if it is, 1 if it is not, 2 if AWS does not tell.
is_there() {
  if [ "$1" = model ]; then noun=Model; else noun=EndpointConfig; fi
  found=$(ask "list-$1s" --name-contains="$2" --query="['-', map(&${noun}Name, ${noun}s)][]") || return 2
  is_among "$2" $found
}

# models_of CONFIG: prints the models that an endpoint configuration names.
models_of() {
  ask describe-endpoint-config --endpoint-config-name="$1" \
    --query="['-', map(&ModelName, ProductionVariants), ShadowProductionVariants[].ModelName][]"
}

# find_what_serves: sets used and may_be_used, and unread to nothing if all of it could be read.
find_what_serves() {
  unread="The list of endpoints"
  endpoints=$(ask list-endpoints --query="['-', map(&EndpointName, Endpoints)][]") || return 0
  configs=''
  for endpoint in $endpoints; do
    unread="Endpoint $endpoint"
    read_endpoint || return 0
    for config in "$current" "$pending"; do
      case "$configs " in
        *"/$config "*) ;; # once
        *) [ "$config" = - ] || configs="$configs $endpoint/$config" ;;
      esac
    done
  done
  add_configs $configs || return 0
  used=$found
  add_configs $kept || return 0
  may_be_used=$found
  unread="The list of inference components"
  components=$(ask list-inference-components \
    --query="['-', map(&InferenceComponentName, InferenceComponents)][]") || return 0
  for component in $components; do
    unread="Inference component $component"
    models=$(ask describe-inference-component --inference-component-name="$component" \
      --query="[(Specification || Specifications) && '-', Specification.ModelName, Specifications[].ModelName][]") || return 0
    for model in $models; do used="$used model/$model"; done
  done
  unread=''
}

# add_configs ENDPOINT/CONFIG...: sets found to configurations and the models that they name.
add_configs() {
  found=''
  for pair in "$@"; do
    unread="Configuration ${pair#*/} of endpoint ${pair%/*}"
    models=$(models_of "${pair#*/}") || return 1
    found="$found endpoint-config/${pair#*/}"
    for model in $models; do found="$found model/$model"; done
  done
}

# delete_copy model|endpoint-config NAME: deletes what the fixer created, if nothing uses it.
delete_copy() {
  is_there "$1" "$2"
  case $? in
    0) ;;
    1) return ;;
    *) unread="The list of ${1}s" ;;
  esac
  if [ -n "$unread" ]; then
    say "$unread cannot be read, so what serves in $region is not known, and $1 $2 is kept."
  elif is_among "$1/$2" $used; then
    say "The $1 $2 is in use, so it is kept."
  elif is_among "$1/$2" $may_be_used; then
    say "The $1 $2 may be in use, so it is kept."
  elif aws sagemaker "delete-$1" --region="$region" "--$1-name=$2"; then
    say "Deleted $1 $2."
    return
  else
    say "AWS did not delete $1 $2."
  fi
  exit_code=1
}

finish() {
  if [ "$exit_code" -eq 0 ]; then
    say "Rollback complete."
  else
    say "Rollback incomplete: see above."
  fi
  exit "$exit_code"
}
