"""Who may do what: exploring needs nothing, editing needs the planner token."""
