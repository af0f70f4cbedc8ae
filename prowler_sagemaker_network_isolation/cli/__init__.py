"""`sagemaker-isolation`: reads what Prowler wrote after a scan.

It uses the standard library only, calls nothing, and needs no Prowler: a folder on PYTHONPATH is
enough. Files are read (`files`) and made into findings (`findings`), which are compared
(`baseline`) and grouped (`report`); that is printed or written (`text`, `sarif`).
"""
