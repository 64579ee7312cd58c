"""HTTP APIs of API Gateway (version 2): control plane, CloudFormation resources, and what serves their requests."""
