"""The tests, the embedded AWS account that they scan, and the demo of it."""
