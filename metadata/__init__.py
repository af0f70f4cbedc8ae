"""The compliance frameworks that Prowler finds through the entry point `prowler.compliance`."""
