#!/bin/sh
# Has one SageMaker endpoint serve isolated copies of its failing models, and takes that back.
#
#   sh NAME.sh              says what it would do and whether it could; changes nothing
#   sh NAME.sh apply        copies the models and the endpoint configuration, updates the endpoint, waits
#   sh NAME.sh rollback     updates the endpoint to the old configuration again, and waits
#
# It needs the AWS CLI, jq, and the permissions of docs/remediation-policy.json. Unless the endpoint's last
# deployment had alarms, say how it may move: sh NAME.sh apply --all-at-once, or
# DEPLOYMENT_CONFIG=file.json sh NAME.sh apply. Stopped anywhere, it can be run again. It deletes nothing.
# Exit code: 0 only if what was asked for is so; 2 for a wrong command line.
# shellcheck disable=SC2015,SC2086 # A && B || C stops where A or B fails; names have no blanks

# --- The plan. Times are the CreationTime, in seconds since 1970. Of the models that the configuration names,
# a failing one has a copy and the VpcConfig of that. settings are the members that AWS showed of what is copied:
# an AWS CLI that does not show them all would lose them.
account=123456789012
region=eu-west-1
endpoint=fraud
config=fraud
config_created=1764250000
new_config=fraud-isolated
models='{"fraud": {"created": 1764250000, "copy": "fraud-isolated",
  "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}}}'
settings='{"endpoint-config fraud": ["ProductionVariants.ModelName", "ProductionVariants.InstanceType"],
  "model fraud": ["PrimaryContainer.Image", "ExecutionRoleArn"]}'
# --- The end of the plan.

set -fu
umask 077
AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off TZ=UTC0
export AWS_PAGER AWS_CLI_AUTO_PROMPT TZ

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

# shellcheck disable=SC2016 # the variables are jq's
defs='
# The AWS CLI gives a number, or ISO 8601 in the time zone that is set above.
def seconds: if type == "number" then floor else sub("[.][0-9]+"; "") | sub("[+]00:00$"; "Z") | fromdate end;
def is_set: . != null and . != {} and . != [];
def variants: .ProductionVariants[]?, .ShadowProductionVariants[]?;
def models: [variants | .ModelName, .InstancePools[]?.ModelNameOverride | select(.)];
# DescribeModel gives an artifact in two forms, and CreateModel takes one of them.
def one_source: if .ModelDataUrl and .ModelDataSource == {S3DataSource: {S3Uri: .ModelDataUrl,
  S3DataType: "S3Object", CompressionType: "Gzip"}} then del(.ModelDataSource) else . end;
# What a Create operation takes of what the Describe operation gives.
def settings: del(.ModelArn, .EndpointConfigArn, .CreationTime, .DeploymentRecommendation) |
  if .EnableNetworkIsolation then . else del(.EnableNetworkIsolation) end |
  (.PrimaryContainer | select(.)) |= one_source | .Containers[]? |= one_source |
  with_entries(select(.value | is_set));
def comparable: settings | (.VpcConfig | select(.)) |= map_values(sort) |
  walk(if type == "object" then with_entries(select(.value | is_set and . != false)) else . end);
'

sagemaker() { aws sagemaker "$@" --region "$region" --output json 2>"$tmp/error"; }

# masked: copies a text, without the values of the containers' environment, to one line.
masked() {
  jq -Rrs --slurpfile secrets "$tmp/secrets" 'reduce ([$secrets[] | (select(length > 3) | ., (tojson | .[1:-1])), tojson] |
    sort_by(-length)[]) as $value (.; split($value) | join("...")) |
    gsub("Value .* at "; "Value ... at "; "m") | gsub("\\s+"; " ") | sub(" $"; "")'
}

# why: what AWS said last.
why() { masked <"$tmp/error"; }

# describe KIND NAME: asks for a "model" or an "endpoint-config", and keeps the answer in the file $answer.
describe() {
  answer=$tmp/$1.$2
  sagemaker "describe-$1" "--$1-name" "$2" >"$answer" && jq -en 'input.CreationTime' "$answer" >"$tmp/out" &&
    jq '.PrimaryContainer, .Containers[]? | .Environment? // {} | .[]' "$answer" >>"$tmp/secrets"
}

# read_endpoint: sets state, "STATUS CONFIG PENDING-CONFIG" with "-" for none pending, and shown, the same in words.
read_endpoint() {
  sagemaker describe-endpoint --endpoint-name "$endpoint" >"$tmp/endpoint" &&
    state=$(jq -enr 'input | "\(.EndpointStatus) \(.EndpointConfigName) \(.PendingDeploymentSummary.EndpointConfigName // "-")"' "$tmp/endpoint") ||
    stop "Endpoint $endpoint cannot be read. Run this again. $(why)"
  shown="Endpoint $endpoint is ${state%% *} with ${state#* }"
  case $state in *" -") shown=${shown% -} ;; *) shown="${shown% *}, being updated to ${state##* }" ;; esac
}

# wait_while_updating: reads the endpoint until nothing is under way, for an hour at most.
wait_while_updating() {
  looks=0
  while read_endpoint; do
    case $state in Creating* | Updating* | SystemUpdating* | RollingBack*) ;; *) return ;; esac
    [ "$looks" -lt 360 ] || stop "$shown, after an hour; AWS goes on. Run this again to wait for it."
    [ $((looks % 6)) -ne 0 ] || say "$shown."
    looks=$((looks + 1))
    sleep 10 &
    wait $! # unlike sleep itself, a signal ends it at once
  done
}

# leave WHY: stops at a state that is not what this may change, and says what a person does about it.
leave() {
  case $state in
    "InService $config -" | "InService $new_config -") todo='Look at its logs.' ;;
    InService*) todo="To see who deployed: aws cloudtrail lookup-events --region $region --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateEndpoint" ;;
    Failed*) todo="A Failed endpoint can only be deleted: delete it, and create it again from $config." ;;
    UpdateRollbackFailed*) todo="It serves with both configurations; update it to one of them when you know why." ;;
    *) todo="Run this again when it is InService." ;;
  esac
  stop "$shown. $1 $todo"
}

# reason: why AWS says that an update failed.
reason() { jq -r '.FailureReason // "AWS gives no reason."' "$tmp/endpoint" | masked; }

of_models() { printf '%s' "$models" | jq -r "to_entries[] | $1"; }

# each_copy FUNCTION: calls it with KIND ORIGINAL COPY for each failing model, then for the configuration.
each_copy() {
  for pair in $copies; do "$1" model "${pair%=*}" "${pair#*=}"; done
  "$1" endpoint-config "$config" "$new_config"
}

# check_originals: stops unless the configuration and its models are those that the plan saw.
check_originals() {
  for thing in "endpoint-config=$config=$config_created" $(of_models '"model=\(.key)=\(.value.created)"'); do
    name=${thing#*=} name=${name%=*}
    describe "${thing%%=*}" "$name" || stop "The ${thing%%=*} $name cannot be read, so nothing is changed. $(why)"
    created=$(jq -r "$defs .CreationTime | seconds" "$answer") || stop "The CreationTime of the ${thing%%=*} $name is not understood, so nothing is changed."
    [ "$created" = "${thing##*=}" ] || stop "The ${thing%%=*} $name was made anew since the plan, so it may not be what serves. Nothing is changed; make a new plan."
  done
}

# check_can_copy KIND NAME: stops if a copy would lose a setting; reads the tags.
check_can_copy() {
  unseen=$(jq -r --argjson settings "$settings" --arg thing "$1 $2" '$settings[$thing] - [paths | map(strings) | join(".")] | join(", ")' "$tmp/$1.$2") ||
    stop "The $1 $2 is not understood, so nothing is changed."
  [ -z "$unseen" ] || stop "A copy of the $1 $2 would lose what this AWS CLI does not show: $unseen. Nothing is changed. Update the AWS CLI."
  sagemaker list-tags --resource-arn "$(jq -r '.ModelArn // .EndpointConfigArn' "$tmp/$1.$2")" >"$tmp/tags.$1.$2" && jq -en input.Tags "$tmp/tags.$1.$2" >"$tmp/out" ||
    stop "The tags of the $1 $2 cannot be read, so nothing is changed. $(why)"
}

# check_copy KIND ORIGINAL COPY: stops unless the copy is what this makes of the original; leaves that in the file wanted.
check_copy() {
  jq --argjson models "$models" --arg kind "$1" --arg name "$2" --arg copy "$3" "$defs"'
    def copied: $models[.].copy // .;
    settings | if $kind == "model"
    then . + {ModelName: $copy, EnableNetworkIsolation: true, VpcConfig: $models[$name].VpcConfig}
    else .EndpointConfigName = $copy | (variants | .ModelName | select(.)) |= copied |
      (variants | .InstancePools[]?.ModelNameOverride | select(.)) |= copied end' "$tmp/$1.$2" >"$tmp/wanted" ||
    stop "The $1 $2 is not understood, so nothing more is changed."
  describe "$1" "$3" || return 1
  differs=$(jq -rn --slurpfile one "$tmp/wanted" --slurpfile other "$answer" "$defs"'
    ($one[0] | comparable) as $one | ($other[0] | comparable) as $other |
    [$one + $other | keys[] | select($one[.] != $other[.])] | join(", ")') || stop "The $1 $3 is not understood, so nothing more is changed."
  [ -z "$differs" ] || stop "The $1 $3 is not the copy that this makes: $differs differs. Nothing more is changed. Make a new plan, or see who made it."
}

# must_be_ours KIND ORIGINAL COPY: as check_copy, and stops where the copy cannot be read.
must_be_ours() { check_copy "$@" || stop "The $1 $3 cannot be read, so whether it is the copy that this makes is not known. Nothing is changed. $(why)"; }

# make_copy KIND ORIGINAL COPY: creates the copy unless it is there, and reads it back.
make_copy() {
  check_copy "$@" && return
  say "Creating $1 $3."
  jq --slurpfile tags "$tmp/tags.$1.$2" '. + ([$tags[0].Tags[] | select(.Key | test("^aws:"; "i") | not)] |
    if . == [] then {} else {Tags: .} end)' "$tmp/wanted" >"$tmp/input" || stop "The tags of the $1 $2 are not understood."
  failure=''
  # An answer may be lost on its way, so an error alone does not say that there is no copy.
  sagemaker "create-$1" --cli-input-json "file://$tmp/input" >"$tmp/out" || failure=$(why)
  check_copy "$@" || stop "The $1 $3 is not there, or cannot be read back; the endpoint is as it was. Run this again. ${failure:-$(why)}"
}

# update_to CONFIG OPTIONS...: updates the endpoint, with the instances and weights that it has now, and waits.
update_to() {
  to=$1
  shift
  say "Updating endpoint $endpoint to $to."
  failure=''
  sagemaker update-endpoint --endpoint-name "$endpoint" --endpoint-config-name "$to" --retain-all-variant-properties "$@" >"$tmp/out" ||
    failure="AWS did not take the update, or its answer was lost. $(why)"
  wait_while_updating
  [ "$state" = "InService $to -" ] || leave "${failure:-$(reason)}"
}

# describe_all KIND NAMES...: adds AWS's descriptions to the file KIND; fails where one cannot be read.
describe_all() {
  kind=$1
  shift
  : >"$tmp/$kind"
  for name in "$@"; do
    sagemaker "describe-$kind" "--$kind-name" "$name" >"$tmp/one" && jq -en input "$tmp/one" >>"$tmp/$kind" || return 1
  done
}

# find_users: what serves in the region, as lines "model NAME" and "endpoint-config NAME" of the file used;
# fails where something that may use a model could not be read.
find_users() {
  sagemaker list-endpoints >"$tmp/list" && names=$(jq -enr 'input | [.Endpoints[].EndpointName] | join(" ")' "$tmp/list") &&
    describe_all endpoint $names &&
    names=$(jq -rs '[.[] | .EndpointConfigName, .PendingDeploymentSummary.EndpointConfigName // empty] | unique | join(" ")' "$tmp/endpoint") &&
    describe_all endpoint-config $names &&
    sagemaker list-inference-components >"$tmp/list" && names=$(jq -enr 'input | [.InferenceComponents[].InferenceComponentName] | join(" ")' "$tmp/list") &&
    describe_all inference-component $names &&
    # A variant of no size has instance pools, with models of their own, that this AWS CLI does not show. An endpoint
    # whose update failed or is rolled back may serve with two configurations, of which AWS shows one.
    jq -rn --slurpfile endpoints "$tmp/endpoint" --slurpfile configs "$tmp/endpoint-config" --slurpfile components "$tmp/inference-component" "$defs"'
      if all($configs[] | variants; .InstanceType or .ServerlessConfig or .InstancePools) and
        all($components[]; .Specification or .Specifications) and all($endpoints[];
        .EndpointStatus != "UpdateRollbackFailed" and (.EndpointStatus != "RollingBack" or .PendingDeploymentSummary))
      then ($endpoints[] | .EndpointConfigName, (.PendingDeploymentSummary.EndpointConfigName // empty) | "endpoint-config \(.)"),
        ($configs[] | models[] | "model \(.)"), ($components[] | .Specification, .Specifications[]? | .ModelName // empty | "model \(.)")
      else error("models that are not shown") end' >"$tmp/used" 2>"$tmp/error"
}

# say_how_to_delete KIND=NAME...: the commands for what is there and nothing that can be seen uses.
say_how_to_delete() {
  say "Looking for what else serves in $region ..."
  find_users || { say "Not all of it could be read, so what may be deleted is not known. $(why)"; return; }
  commands=''
  for thing in "$@"; do
    kind=${thing%=*} name=${thing#*=}
    if grep -Fqx "$kind $name" "$tmp/used"; then
      say "The $kind $name is in use: keep it."
    elif describe "$kind" "$name"; then
      commands="$commands
  aws sagemaker delete-$kind --region $region --$kind-name $name"
    fi
  done
  [ -z "$commands" ] || say "Nothing seen uses what these delete (pipelines, transform jobs and Step Functions are not seen):$commands"
}

has_alarms() { jq -e '.LastDeploymentConfig.AutoRollbackConfiguration.Alarms | length > 0' "$tmp/endpoint" >"$tmp/out"; }

# guards: what must be so before the first change.
guards() {
  check_originals
  each_copy check_can_copy
  read_endpoint
  case $state in
    "InService $config -" | "InService $new_config -" | "Updating $config $new_config") ;;
    *) leave "The plan found it InService with $config, so nothing is changed." ;;
  esac
}

apply() {
  guards
  if [ "$state" = "InService $config -" ]; then
    if [ -n "${DEPLOYMENT_CONFIG-}" ]; then
      jq -e 'type == "object"' "$DEPLOYMENT_CONFIG" >"$tmp/out" || stop "DEPLOYMENT_CONFIG must name a file with a DeploymentConfig in JSON. Nothing is changed."
      set -- --deployment-config "file://$DEPLOYMENT_CONFIG"
    elif [ "${1-}" = --all-at-once ]; then
      set --
    elif has_alarms; then
      set -- --retain-deployment-config
    else
      stop "Endpoint $endpoint has no alarm that would roll the update back, so nothing is changed. Give it a deployment configuration with" \
        "DEPLOYMENT_CONFIG=file.json, or move all traffic at once with: sh '$0' apply --all-at-once"
    fi
    each_copy make_copy
    read_endpoint
    [ "$state" = "InService $config -" ] || leave "It has just changed, so it is left as it is."
    update_to "$new_config" "$@"
  else
    wait_while_updating
    [ "$state" = "InService $new_config -" ] || leave "$(reason)"
    each_copy must_be_ours
  fi
  say "Endpoint $endpoint serves with $new_config. Try it: what a container lacks without a network shows only when it serves." \
    "To roll back, which needs the old models and $config: sh '$0' rollback"
  set --
  for pair in $copies; do set -- "$@" "model=${pair%=*}"; done
  say_how_to_delete "$@"
}

rollback() {
  check_originals
  read_endpoint
  case $state in *" $config" | *" $new_config") wait_while_updating ;; esac
  case $state in
    "InService $config -") ;;
    "InService $new_config -")
      must_be_ours endpoint-config "$config" "$new_config"
      read_endpoint
      [ "$state" = "InService $new_config -" ] || leave "It has just changed, so it is left as it is."
      # Without --retain-deployment-config: its alarms may be the reason for the rollback, and would stop it.
      update_to "$config" ;;
    *) leave "It is not InService with $new_config, so nothing is changed." ;;
  esac
  say "Endpoint $endpoint serves with $config."
  set --
  # Somebody else's of the same name is none of ours.
  (check_copy endpoint-config "$config" "$new_config") 2>"$tmp/out" && set -- "endpoint-config=$new_config"
  for pair in $copies; do
    (check_copy model "${pair%=*}" "${pair#*=}") 2>"$tmp/out" && set -- "$@" "model=${pair#*=}"
  done
  say_how_to_delete "$@"
}

case $#/${1-}/${2-} in
  0// | 1/apply/ | 2/apply/--all-at-once | 1/rollback/) ;;
  *) say "Usage: sh $0 [apply [--all-at-once] | rollback]" >&2; exit 2 ;;
esac
for tool in aws jq grep mktemp; do
  command -v "$tool" >/dev/null || stop "The command $tool is not there, so nothing is changed. Install it."
done
tmp=$(mktemp -d) || stop "A temporary folder cannot be made, so nothing is changed."
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT QUIT PIPE ALRM TERM USR1 USR2
: >"$tmp/secrets"
found=$(aws sts get-caller-identity --region "$region" --query Account --output text) || stop "The AWS account of these credentials is not known, so nothing is changed."
[ "$found" = "$account" ] || stop "These credentials are of AWS account $found, and the plan is of $account, so nothing is changed."
copies=$(of_models 'select(.value.copy) | "\(.key)=\(.value.copy)"')
if [ $# -gt 0 ]; then
  "$@"
else
  say "Endpoint $endpoint in $region of account $account:"
  of_models 'select(.value.copy) | "  create model \(.value.copy), like \(.key), isolated, in \(.value.VpcConfig | (.Subnets + .SecurityGroupIds) | join(", "))"'
  say "  create endpoint-config $new_config, like $config, with the new models"
  say "  update endpoint $endpoint to $new_config"
  guards
  has_alarms || say "It has no alarm that would roll the update back: apply needs DEPLOYMENT_CONFIG=file.json or --all-at-once."
  say "$shown. Nothing was changed."
fi
