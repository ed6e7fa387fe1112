"""The ten questions of an auditor, answered from the record of runs, each answer with the lines it follows from."""
