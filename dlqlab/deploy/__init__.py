"""Deployment: resources by CloudFormation, functions by Chalice, then what Chalice cannot do, then a proof.

``apply`` brings a target to what a scenario asks for, whatever was there before; ``destroy`` removes it again.
"""
