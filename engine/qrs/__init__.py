"""The client of a Qlik Sense Repository Service (QRS), and the check of the way to one."""
