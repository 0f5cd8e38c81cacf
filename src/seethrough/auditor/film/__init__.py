"""The audit of films: which frame belongs to which, whether a face is bare in any, and what several
looks at a covered face give away.
"""
