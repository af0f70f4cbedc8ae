# What scans found between two days, from the OCSF files of many nights, at any depth of folders:
#
#     find output -name '*.ocsf.json' -exec cat {} + |
#       jq -rn --arg from 2026-11-01 --arg to 2026-11-30 -f docs/history.jq
#
# For each account and check: the days without a scan, what failed and what could not be judged from
# when until when, and what followed: another state, "absent" (deleted, or left out of that scan),
# or nothing, if it was so in the last scan. Times are UTC.
def day: strftime("%Y-%m-%d");
def runs: reduce .[] as {$at, $state} ([];
  if .[-1].state == $state then .[-1].to = $at
  else (if . == [] then . else .[-1].next = {$at, $state} end) + [{$state, from: $at, to: $at}] end);
def span(f): (.from | f) + if .to == .from then "" else " to " + (.to | f) end;

[ inputs[] | select(.class_uid == 2004 and (.metadata.event_code
    | test("^sagemaker_(models|endpoint_configs|monitoring_schedule)_network_isolation_enabled$")))
  | .resources[0] as $resource
  | select($resource.data.metadata | has("violations")) # the built-in check answers nothing
  | {account: .cloud.account.uid, check: .metadata.event_code, time, text: .status_detail,
     resource: [$resource.uid, $resource.data.metadata.creation_time],
     state: (.status_code + if .status == "Suppressed" and .status_code != "PASS" then " (muted)" else "" end)}
  | select($from <= (.time | day) and (.time | day) <= $to) ] | unique
| if . == [] then error("no finding of the plugin's between these days") else . end
| [range($from + "T00:00:00Z" | fromdate; ($to + "T00:00:00Z" | fromdate) + 1; 86400) | day] as $days
| group_by([.account, .check])[]
| (map(.time) | unique) as $scans | ($scans | map(day) | unique) as $scanned
| "\(.[0].account) \(.[0].check): \($scans | length) scans on \($scanned | length) of \($days | length) days",
  ([$days[] | {at: ., state: (. as $day | $scanned | index($day) != null)}] | runs[]
   | select(.state | not) | "  no scan \(span(.))"),
  (group_by(.resource)[] | (map({key: (.time | tostring), value: .}) | from_entries) as $found
   | .[0].resource[0] as $arn
   | [$scans[] | {at: ., state: ($found[tostring].state // "absent")}] | runs[]
   | select(.state | test("FAIL|MANUAL"))
   | "  \(.state) \(span(day))\(.next | if . then ", then \(.state) from \(.at | day)" else "" end): \($arn)",
     "    \($found[.to | tostring].text)")
