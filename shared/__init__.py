"""What all four services share: contracts, rules, the kit and the web theme; never business state."""
