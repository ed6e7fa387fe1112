"""Decides by a written policy which Qlik Sense access licenses are released after disuse, and proves why."""
