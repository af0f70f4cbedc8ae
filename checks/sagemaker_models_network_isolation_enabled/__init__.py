"""A check folder of Prowler: the check, its metadata, and `lib/`, which all our checks share."""
