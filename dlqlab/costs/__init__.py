"""What a load would cost on AWS: counts of use times a table of prices.

Left out, because a run hardly uses it or it depends on the account: storage, data transfer, alarms, X-Ray, the free
tier, discounts for volume.
"""
