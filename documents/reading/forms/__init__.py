"""Forms outside a budget text: project forms, self-evaluations and forms of whole departments, in many layouts."""
