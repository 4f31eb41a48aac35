"""Background tasks: their kinds, their steps, and the worker that does them.

A kind of task is a generator of steps, each one transaction of a few seconds at most. The task's progress and lease are
written in the same transaction. So a killed worker's step leaves nothing behind, and the next worker goes on after the
last whole step, once the lease has run out.
"""
