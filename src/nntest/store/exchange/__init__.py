"""Points on their way in and out: archives that are safe to take, and archives that are safe to give."""
