"""The pure rules: working-day calendar, law in force on a day, deadlines, and plans as data.

Nothing here reads a clock, a database or a network: days and moments are passed in, files are read once by
the `load` functions at start-up. A service's `domain` may import everything below `shared.rules`.
"""
