"""Files at rest: taken as streams, told by their content, sealed in object storage, opened again, cleaned apart.

What a file belongs to, who may see it and what is recorded of it are the services' own.
"""
