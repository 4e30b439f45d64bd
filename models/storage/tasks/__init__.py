"""`tasks.db`: the tasks that we gave, with their history, and the commands. Primary: nothing else can tell them."""
