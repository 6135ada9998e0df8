"""City Information Model (CIM) server: the city itself, its words, rules, store and services."""
