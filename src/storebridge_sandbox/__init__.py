"""Two pretend stores that answer at their vendors' own paths.

Shares no code with ``storebridge``: a wrong belief about a vendor cannot hide on both sides. Start reading
at ``app.py``; ``control.py`` is for whoever plays shopper, staff or fate; one folder per vendor holds, per
resource, a state file and a responses file.
"""
