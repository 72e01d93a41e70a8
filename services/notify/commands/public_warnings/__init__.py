"""The only writers of public warnings and exposed cases: drafted, checked, approved, released by two, recalled."""
