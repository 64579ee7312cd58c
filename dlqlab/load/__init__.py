"""Load: what the clients send, the journal they write, and the subprocess in which Locust runs.

Importing locust patches the whole process (gevent), so nothing here imports it: ``loadtest/locustfile.py`` does, in a
process of its own, and the two sides exchange files.
"""
