"""Metric statistics match the dimensions that were asked for, not every metric whose dimensions begin alike.

LocalStack looks dimensions up with ``LIKE '%Name=Value%'``, so that the metrics of ``app-local`` contain those of
``app-local-processor``. On AWS the dimensions of GetMetricData and GetMetricStatistics must match exactly.
"""

import threading

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase
from localstack.utils.patch import patch as replace


def patch() -> None:
    asking = threading.local()

    @replace(CloudwatchDatabase.get_metric_data_stat)
    def get_metric_data_stat(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        asking.exactly = True
        try:
            return original(self, *args, **kwargs)
        finally:
            asking.exactly = False

    @replace(CloudwatchDatabase._get_ordered_dimensions_with_separator)
    def dimensions(original, self, dims, for_search=False):  # type: ignore[no-untyped-def]
        # As stored, without the wildcards around it: ListMetrics goes on to search by part.
        return original(self, dims, for_search=for_search and not getattr(asking, "exactly", False))
