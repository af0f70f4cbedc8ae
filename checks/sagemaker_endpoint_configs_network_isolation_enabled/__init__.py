"""A check folder of Prowler: the check, its metadata, and `lib/`, which only the check uses."""
