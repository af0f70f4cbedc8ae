"""`sagemaker-isolation`: reads what Prowler wrote after a scan.

It uses the standard library only, calls nothing, and needs no Prowler: a folder on PYTHONPATH is
enough. Files are read (`files`), made into findings with their causes (`findings`, `causes`), and
counted (`summary`, `baseline`); what is printed or written follows from that (`text`, `sarif`).
`evidence` and `join` are commands of their own.
"""
