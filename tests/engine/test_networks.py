"""What EC2 sends is read: a network for each member of its answers that a verdict rests on."""

from ..embedded import engine, networks
from ..embedded.server import EmbeddedAWS


def test_each_network_gets_its_verdict_with_the_evidence(aws: EmbeddedAWS) -> None:
    cases = networks.build(aws)
    made = engine.provider(aws, networks.REGION, retries_max_attempts=0)
    aws.calls.clear()
    found = {finding.resource_id: finding for finding in engine.scan(aws, made)}
    assert {name: f.status for name, f in found.items()} == {
        name: status for name, (status, _) in cases.items()
    }
    unsaid = {
        name: (part, found[name].status_extended)
        for name, (_, words) in cases.items()
        for part in words
        if part not in found[name].status_extended
    }
    assert unsaid == {}
    for name in ("ARN-in-Small-Letters", "ARN-in-Small-Letters-described"):
        assert found[name].resource_arn.endswith(f":model/{name}")
    entries = [call for call in aws.calls if call.api == "GetManagedPrefixListEntries"]
    read = [call.parameters["PrefixListId"] for call in entries]
    assert len(read) == len(set(read)) > 1  # each list is read once
