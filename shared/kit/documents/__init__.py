"""Documents as files, for every service: Word templates filled, PDF set from what they say, in a process of its own.

What a document is about, its fields and its wording are the service's; here is only how it becomes a file.
"""
