"""The facts of a license: the day they are seen from, their reading, the guards over them."""
