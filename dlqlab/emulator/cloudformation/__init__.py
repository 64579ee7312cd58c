"""CloudFormation: what of a template is made, refused or ignored, and how a deployment that fails ends."""
