#!/usr/bin/env bash
# Scan the SageMaker models of many accounts in parallel, and join the findings.
#
#     scan-accounts.sh ACCOUNTS ROLE OUTPUT [an option of prowler aws]...
#
# ACCOUNTS is a file with an account's id a line, ROLE the name of the role to assume in each, and
# OUTPUT a folder that is not there yet. In the environment, PARALLEL is the number of scans at a
# time (2) and PARTITION the AWS partition (aws).
#
# OUTPUT/findings.csv and OUTPUT/findings.ocsf.json have the findings of all accounts. OUTPUT/<id>
# has an account's own, and OUTPUT/<id>.log what its scan printed. OUTPUT/not-scanned.txt has the
# accounts that could not be scanned, and can be the ACCOUNTS of another run.
#
# Ends with 0; with 3, as Prowler does, if a model fails; with 1 if an account could not be scanned
# or findings not be joined; with 2 if nothing was done because an argument is wrong.
set -euo pipefail

wrong() {
  echo "scan-accounts.sh: $1" >&2
  exit 2
}

[ $# -ge 3 ] || wrong "usage: scan-accounts.sh ACCOUNTS ROLE OUTPUT [an option of prowler aws]..."
[ -r "$1" ] || wrong "$1 cannot be read"
accounts=$(sort -u "$1")
export ROLE=$2 OUTPUT=$3 PARTITION=${PARTITION:-aws}
shift 3
if unknown=$(grep -m 1 -vxE '[0-9]{12}' <<<"$accounts"); then
  wrong "'$unknown' is not the id of an account"
fi
mkdir "$OUTPUT" || wrong "$OUTPUT must be a new folder, so that no earlier finding is in it"

# shellcheck disable=SC2329 # the shells of xargs call it
scan() {
  local account=$1 code=0
  shift
  prowler aws --checks sagemaker_models_network_isolation_enabled \
    --role "arn:$PARTITION:iam::$account:role/$ROLE" --no-banner --no-color \
    --output-formats csv json-ocsf --output-directory "$OUTPUT/$account" "$@" \
    >"$OUTPUT/$account.log" 2>&1 </dev/null || code=$?
  echo "$code" >"$OUTPUT/$account.code"
}
export -f scan
# A scan that is killed with its shell stops xargs; the accounts that it leaves are named below.
# shellcheck disable=SC2016 # the inner bash expands it
xargs -P "${PARALLEL:-2}" -I '{}' bash -c 'scan "$@"' scan '{}' "$@" <<<"$accounts" || true

result=0
python3 "$(dirname "$0")/join_findings.py" "$OUTPUT" || result=1
: >"$OUTPUT/not-scanned.txt"
while read -r account; do
  code=none reason="its scan was not begun"
  [ ! -e "$OUTPUT/$account.code" ] || code=$(cat "$OUTPUT/$account.code")
  case $code in
    0) ;;
    3) [ "$result" = 1 ] || result=3 ;;
    *)
      result=1
      echo "$account" >>"$OUTPUT/not-scanned.txt"
      # Prowler says why in its last line of that level; other programs in their last line.
      [ ! -e "$OUTPUT/$account.log" ] || reason=$(awk 'sub(/.*CRITICAL: /, "") { why = $0 }
        NF { last = $0 } END { print why ? why : last }' "$OUTPUT/$account.log")
      echo "Not scanned: $account (exit code $code): $reason" >&2
      ;;
  esac
done <<<"$accounts"
echo "$(wc -l <"$OUTPUT/not-scanned.txt") of $(wc -l <<<"$accounts") accounts were not scanned." >&2
exit "$result"
