"""A check folder of Prowler: the check and its metadata; `lib/` is that of the check for models."""
