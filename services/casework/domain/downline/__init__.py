"""The downline of a case (上下线): who recruited whom, counted by the rules of the criminal threshold. Pure functions.

`kinds` and `rows` need nothing else; `network`, `counting`, `evaluation` and `views` bring numpy and scipy with them.
"""
