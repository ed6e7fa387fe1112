"""The conditions of Qlik's license rules, from text to tree."""
