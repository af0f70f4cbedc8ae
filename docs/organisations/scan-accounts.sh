#!/usr/bin/env bash
# Scan the SageMaker models of many accounts in parallel, and report on all of them.
#
#     scan-accounts.sh ACCOUNTS ROLE OUTPUT [an option of prowler aws]...
#
# ACCOUNTS is a file with an account's id a line, ROLE the name of the role to assume in each, and
# OUTPUT a folder that is not there yet. In the environment, PARALLEL is the number of scans at a
# time (2) and PARTITION the AWS partition (aws).
#
# OUTPUT/<id> has an account's findings, and OUTPUT/<id>.log what its scan printed.
# OUTPUT/accounts.txt has all accounts, and OUTPUT/not-scanned.txt those that could not be scanned,
# for another run.
#
# Ends as `sagemaker-isolation report` does: with 0 if everything was judged and nothing fails, with
# 1 if something was not judged or an account not scanned, with 3 if something fails. Ends with 2
# if nothing was done because an argument is wrong.
set -euo pipefail

wrong() {
  echo "scan-accounts.sh: $1." >&2
  exit 2
}

[ $# -ge 3 ] || wrong "usage: scan-accounts.sh ACCOUNTS ROLE OUTPUT [an option of prowler aws]..."
[ ! -d "$1" ] || wrong "$1 is a folder: name a file with an account's id a line"
[ -r "$1" ] || wrong "$1 is not there, or cannot be read"
accounts=$(sed 's/[[:space:]]*$//; /^$/d' "$1" | sort -u)
[ -n "$accounts" ] || wrong "$1 names no account"
if unknown=$(grep -m 1 -vxE '[0-9]{12}' <<<"$accounts"); then
  wrong "'$unknown' is not the id of an account"
fi
[[ ${PARALLEL:=2} =~ ^[1-9][0-9]*$ ]] ||
  wrong "PARALLEL is '$PARALLEL', and must be a number from 1"
command -v sagemaker-isolation >/dev/null ||
  wrong "sagemaker-isolation is not there: install the plugin beside Prowler"
export ROLE=$2 OUTPUT=$3 PARTITION=${PARTITION:-aws}
shift 3
[ ! -e "$OUTPUT" ] || wrong "$OUTPUT must be a new folder, so that no earlier finding is in it"
parent=$(dirname "$OUTPUT")
[ -d "$parent" ] || wrong "$parent is not there: make the folder that $OUTPUT is to be in"
mkdir "$OUTPUT" || wrong "$OUTPUT could not be made"
echo "$accounts" >"$OUTPUT/accounts.txt"

# shellcheck disable=SC2329 # the shells of xargs call it
scan() {
  local account=$1 code=0
  shift
  # Of an option that is there twice Prowler takes the last: these are what the report needs.
  prowler aws "$@" --compliance sop_sagemaker_network_isolation_aws \
    soc2_sagemaker_network_isolation_aws hipaa_sagemaker_network_isolation_aws \
    --role "arn:$PARTITION:iam::$account:role/$ROLE" --ignore-exit-code-3 --no-banner --no-color \
    --status PASS FAIL MANUAL --output-formats csv json-ocsf --output-directory "$OUTPUT/$account" \
    --output-filename "prowler-output-$account-$(date +%Y%m%d%H%M%S)" \
    >"$OUTPUT/$account.log" 2>&1 </dev/null || code=$?
  # If no check left a finding, all of them broke, and Prowler ends with 0.
  [ "$code" != 0 ] || compgen -G "$OUTPUT/$account/*.ocsf.json" >/dev/null ||
    code="0, and no finding"
  echo "$code" >"$OUTPUT/$account.code"
  if [ -t 2 ]; then # progress, in a terminal only
    local ended
    ended=$(find "$OUTPUT" -maxdepth 1 -name '*.code' | wc -l)
    printf '\r%d of %d accounts ' "$ended" "$(wc -l <"$OUTPUT/accounts.txt")" >&2
  fi
}
export -f scan
# A scan that is killed with its shell stops xargs; the accounts that it leaves are named below.
# shellcheck disable=SC2016 # the inner bash expands it
xargs -P "$PARALLEL" -I '{}' bash -c 'scan "$@"' scan '{}' "$@" <"$OUTPUT/accounts.txt" || true
[ ! -t 2 ] || echo >&2

result=0
sagemaker-isolation report "$OUTPUT" --checks sagemaker_models_network_isolation_enabled \
  sagemaker_endpoint_configs_network_isolation_enabled \
  sagemaker_monitoring_schedule_network_isolation_enabled || result=$?
: >"$OUTPUT/not-scanned.txt"
while read -r account; do
  code=none reason="its scan was not begun"
  [ ! -e "$OUTPUT/$account.code" ] || code=$(cat "$OUTPUT/$account.code")
  [ "$code" != 0 ] || continue
  result=1
  echo "$account" >>"$OUTPUT/not-scanned.txt"
  # Prowler says why in its last line of these kinds; other programs in their last line.
  [ ! -e "$OUTPUT/$account.log" ] || reason=$(awk '
    sub(/.*CRITICAL: /, "") || /Something went wrong in / { why = $0 }
    NF { last = $0 } END { print why ? why : last }' "$OUTPUT/$account.log")
  echo "Not scanned: $account (exit code $code): $reason" >&2
done <"$OUTPUT/accounts.txt"
not_scanned=$(wc -l <"$OUTPUT/not-scanned.txt")
echo "$not_scanned of $(wc -l <"$OUTPUT/accounts.txt") accounts were not scanned." >&2
exit "$result"
