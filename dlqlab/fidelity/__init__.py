"""What a target does as AWS does, found out by short probes that speak the AWS API only: any target can be asked."""
