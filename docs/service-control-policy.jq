# The policy, with the subnets and security groups of what passes in it. Input: OCSF files, slurped.
[
  .[][]
  | select(.status_code == "PASS")
  | select(.metadata.event_code | test("^sagemaker_(models|endpoint_configs|monitoring_schedule)_network_isolation_enabled$"))
  | .resources[].data.metadata
]
| if . == [] then error("nothing passes in these files, so there is no subnet to put in") else . end
| . as $good
| $policy[0]
| (.. | ."sagemaker:VpcSubnets"? | arrays) |= ([$good[].subnets[].id] | unique)
| (.. | ."sagemaker:VpcSecurityGroupIds"? | arrays) |= ([$good[].security_groups[].id] | unique)
