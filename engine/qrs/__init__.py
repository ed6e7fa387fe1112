"""How to reach a Qlik Sense Repository Service (QRS), and a simulated one."""
