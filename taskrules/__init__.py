"""Rules of the task pipeline that the functions and the lab both follow. Pure: imports neither, and no AWS SDK.

The functions get it as ``app/vendor/taskrules``, whose files are links to these: Chalice puts what lies in ``vendor``
at the top of their bundle.
"""
