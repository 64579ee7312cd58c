"""What tools deploy, read before it is deployed: templates of CloudFormation and SAM, and plans of Terraform."""
